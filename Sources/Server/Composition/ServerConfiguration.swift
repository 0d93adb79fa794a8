import BoltzAPI
import ClerkAPI
package import Endpoints
import FluxbaseAPI
package import Keys
import NativeAPI
package import Postgres
package import Service
package import Surfaces
import Telemetry
package import Tenancy
import Verification

/// Everything that a server is made from, checked and typed; where the values come from is the program's affair.
package struct ServerConfiguration: Sendable {
    /// Where the server listens.
    package enum Listener: Sendable, Equatable {
        /// A TCP port; port 0 is any free one.
        case tcp(host: String, port: Int)
        /// A Unix-domain socket, which is made anew.
        case unixSocket(path: String)
    }

    /// Where the server listens; `127.0.0.1:8080` by default.
    package var listener: Listener = .tcp(host: "127.0.0.1", port: 8080)

    /// The control database, as a role that may create databases and roles; made if it does not exist.
    package var database: PostgresConfiguration

    /// The names of the installation on its servers; `mortise` by default.
    package var installation: Installation = .standard

    /// Peppers and the secrets that tokens and passwords are derived from.
    package var secrets: SecretsFile

    /// The password of the role that owns the databases of a further cluster, by the cluster's name; libpq's own ways by default.
    package var clusterPassword: @Sendable (String) -> String? = { _ in nil }

    /// The first operator key's token; random by default.
    package var operatorToken: Token?

    /// The token of the first admin key of the organization `default`; random by default.
    package var adminToken: Token?

    /// The first owner of the organization `default`; nobody by default.
    package var firstMember: FirstMember?

    /// What hashing a password costs; 32 MiB and three passes of scrypt by default.
    package var passwordCost: PasswordCost = .standard

    /// The wall clock, for tokens that others have issued.
    package var now: @Sendable () -> Timestamp = { Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds()) }

    /// How much time has gone by since some moment, for limits on guesses and the age of key sets; a clock of its own by default.
    package var elapsed: (@Sendable () -> Duration)?

    /// Whose word counts about a client's address; nobody's by default.
    package var clients = ClientAddresses()

    /// The dialects that the server speaks. Defaults to all of them.
    package var surfaces: [any Surface.Type] = [
        NativeSurface.self, FluxbaseSurface.self, ClerkSurface.self, BoltzSurface.self,
    ]

    /// Which requests have a line in the log; by default all but verifications, health checks and the like.
    package var accessLog: EndpointSettings.AccessLog = .declared

    /// The clock that measures the deadlines of requests and health checks; the system's by default.
    package var clock: any Clock<Duration> = ContinuousClock()

    /// How long a body may take to arrive; 10 seconds by default.
    package var bodyDeadline: Duration = .seconds(10)

    /// How long a connection may be idle; 60 seconds by default.
    package var idleTimeout: Duration = .seconds(60)

    /// How long accepted requests may take to end once the server has been told to stop; 30 seconds by default.
    package var shutdownGrace: Duration = .seconds(30)

    /// How long `/readyz` says no before the server stops to accept, so that load balancers can notice; not at all by default.
    package var drainDelay: Duration = .zero

    /// What measures that delay; the system's clock by default.
    package var drainClock: any Clock<Duration> = ContinuousClock()

    /// How many threads run requests, each with a connection of its own to every database that keys are looked up in.
    ///
    /// By default half as many as there are processors, up to 4.
    package var threads = ServingThreads.defaultCount

    /// The bounds of connections to databases.
    package var databases = DatabasesOptions()

    /// The bounds of making and changing workspaces.
    package var provisioner = ProvisionerOptions()

    /// How counts of verifications are written.
    package var usage = UsageOptions()

    /// How often what is old is forgotten, such as what requests left for their twins; hourly by default.
    package var upkeepInterval: Duration = .seconds(3600)

    /// How often unfinished changes of workspaces are looked for, to be finished; every minute by default.
    package var repairInterval: Duration = .seconds(60)

    /// Where random bits come from; the system's generator by default.
    package var randomness: Randomness = .system

    /// The program's version.
    package var version: String

    /// Makes a configuration with defaults for everything else.
    package init(database: PostgresConfiguration, secrets: SecretsFile, version: String) {
        self.database = database
        self.secrets = secrets
        self.version = version
    }
}
