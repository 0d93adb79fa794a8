import BoltzAPI
import ClerkAPI
package import Connections
import Console
package import Endpoints
import FluxbaseAPI
package import GatewayAPI
package import Keys
import NativeAPI
package import Notices
package import Postgres
package import Service
package import Surfaces
package import Telemetry
package import Tenancy
package import Tracing
import Verification

/// The parts and limits of a server, as checked values.
///
/// The program reads them from flags and environment variables. Tests set them directly.
package struct ServerConfiguration: Sendable {
    /// The address of the listener.
    ///
    /// Defaults to `127.0.0.1:8080`.
    package var listener: ListenerPlace = .tcp(host: "127.0.0.1", port: 8080)

    /// The certificate of the listener, which then speaks HTTPS.
    ///
    /// None by default.
    package var certificate: ServerCertificate?

    /// The addresses that gateways connect to.
    ///
    /// None by default.
    package var gateway = GatewayListener.Configuration()

    /// The address for operators and their tools, which answers `/healthz`, `/readyz` and `/metrics`.
    ///
    /// With one, the main listener has no `/metrics`. None by default.
    package var operations: ListenerPlace?

    /// The connection to the control database, as a role that can create databases and roles.
    ///
    /// The server creates the database if it does not exist.
    package var database: PostgresConfiguration

    /// The names of the installation's databases and roles.
    ///
    /// Defaults to `mortise`.
    package var installation: Installation = .standard

    /// The peppers, and the secrets that tokens and passwords are derived from.
    package var secrets: SecretsFile

    /// Returns the owner's password for a further cluster, by the cluster's name.
    ///
    /// Returns `nil` by default, so that libpq finds the password.
    package var clusterPassword: @Sendable (String) -> String? = { _ in nil }

    /// The token of the first operator key.
    ///
    /// Random by default.
    package var operatorToken: Token?

    /// The token of the first admin key of the organization `default`.
    ///
    /// Random by default.
    package var adminToken: Token?

    /// The first owner of the organization `default`.
    ///
    /// None by default.
    package var firstMember: FirstMember?

    /// The cost of a password hash.
    ///
    /// Defaults to 32 MiB and three passes of scrypt.
    package var passwordCost: PasswordCost = .standard

    /// The OpenID provider that members can sign in with.
    ///
    /// None by default.
    package var identityProvider: IdentityProvider?

    /// The use of passwords.
    ///
    /// Defaults to `on`.
    package var passwordUse: PasswordUse = .on

    /// The wall clock of this node, which decides about nothing: it is compared with the database's.
    package var now: @Sendable () -> Timestamp = { Timestamp(microsecondsSinceUnixEpoch: systemMicroseconds()) }

    /// The time by which sign-ins with the identity provider are judged, for tests.
    ///
    /// `nil` is the database's.
    package var providerTime: (@Sendable () -> Timestamp)?

    /// Returns the time since a fixed moment, for limits on failed attempts and for the age of key sets.
    ///
    /// `nil` uses the system's continuous clock.
    package var elapsed: (@Sendable () -> Duration)?

    /// The maximum time of an exchange with a session issuer or the identity provider.
    ///
    /// Defaults to 5 seconds.
    package var outboundDeadline: Duration = .seconds(5)

    /// The proxies that are trusted to name a client's address.
    ///
    /// None by default.
    package var clients = ClientAddresses()

    /// The dialects that the server speaks, and the console.
    ///
    /// Defaults to all.
    package var surfaces: [any Surface.Type] = [
        NativeSurface.self, FluxbaseSurface.self, ClerkSurface.self, BoltzSurface.self, ConsoleSurface.self,
    ]

    /// The URL by which browsers reach the server, such as `https://keys.example.com`.
    ///
    /// Defaults to `nil`: the console takes the scheme and the `Host` of requests to a loopback address.
    package var publicURL: String?

    /// True if the listener answers `/metrics` and `/openapi.json`.
    ///
    /// Defaults to true.
    package var publishesOperations = true

    /// The requests that have a line in the access log.
    ///
    /// By default, frequent requests such as verifications have none.
    package var accessLog: EndpointSettings.AccessLog = .declared

    /// The clock that measures the deadlines of requests and health checks.
    ///
    /// Defaults to the system's clock.
    package var clock: any Clock<Duration> = ContinuousClock()

    /// The figures that `/metrics` shows.
    ///
    /// A registry of the server's own by default.
    package var metrics = PrometheusRegistry()

    /// Records spans of requests.
    ///
    /// `nil`, the default, records none.
    package var tracer: (any Tracer)?

    /// The limits of client connections.
    package var connections = ConnectionLimits()

    /// The maximum time for accepted requests to end, from the end of listening on.
    ///
    /// Defaults to 30 seconds.
    package var shutdownGrace: Duration = .seconds(30)

    /// The time between an unready `/readyz` and the end of listening, in which load balancers can react.
    ///
    /// Defaults to zero.
    package var drainDelay: Duration = .zero

    /// The maximum time of a shutdown.
    ///
    /// Requests have their whole time after the drain delay, however long that is.
    var maximumShutdown: Duration { drainDelay + shutdownGrace }

    /// The clock that measures ``drainDelay``.
    ///
    /// Defaults to the system's clock.
    package var drainClock: any Clock<Duration> = ContinuousClock()

    /// The number of threads that run requests.
    ///
    /// Each thread has its own connection to the control database. Defaults to half the number of processors, at most 4.
    package var threads = ServingThreads.defaultCount

    /// The number of threads that read and write HTTP.
    ///
    /// Defaults to the number of processors.
    package var eventLoops = ServingThreads.defaultEventLoops

    /// The days for which events are kept, at least 90.
    ///
    /// Defaults to `nil`: all events are kept.
    package var eventDays: Int?

    /// The numbers of objects that one owner can have.
    package var quotas = Quotas()

    /// The settings of webhooks and notices.
    package var notices = NoticeOptions()

    /// The settings of reports of leaked tokens.
    package var leaks = LeakOptions()

    /// The limits of connections to databases.
    package var databases = DatabasesOptions()

    /// The maximum size of the keys in memory, in estimated bytes.
    ///
    /// Defaults to 64 MiB. 0 means that every verification reads its database.
    package var cacheBytes = defaultCacheBytes

    /// The maximum age of a key in memory.
    ///
    /// Defaults to 60 s. It bounds what no fence covers, such as SQL by hand.
    package var maximumKeyAge = Duration.seconds(60)

    /// The default of ``cacheBytes``.
    package static let defaultCacheBytes = Verifier.defaultCacheBytes

    /// The time without a look-up after which a workspace's look-up connection is closed.
    ///
    /// It can take twice as long.
    ///
    /// Defaults to 60 s.
    package var lookupIdleTime: Duration = .seconds(60)

    /// The limits of creating and changing workspaces.
    package var provisioner = ProvisionerOptions()

    /// The intervals and limits of writing counts of verifications.
    package var usage = UsageOptions()

    /// The time between two deletions of old rows, such as expired idempotency keys.
    ///
    /// Defaults to one hour.
    package var upkeepInterval: Duration = .seconds(3600)

    /// The time between two searches for interrupted changes of workspaces.
    ///
    /// Defaults to 10 s.
    package var repairInterval: Duration = .seconds(10)

    /// The time without a change after which a change of a workspace counts as interrupted.
    ///
    /// Defaults to 10 s.
    package var repairRest: Duration = .seconds(10)

    /// The maximum time that a start takes to set up clusters and to finish interrupted changes of workspaces.
    ///
    /// The rest is done while the server runs. Defaults to 20 s.
    package var repairPatience: Duration = .seconds(20)

    /// The time between two comparisons of the wall clock with the database's.
    ///
    /// Defaults to one minute.
    package var clockInterval: Duration = .seconds(60)

    /// The time between two looks at the standbys of the PostgreSQL servers, for the metrics.
    ///
    /// Defaults to 15 s.
    package var standbyInterval: Duration = .seconds(15)

    /// The time between two looks for PostgreSQL servers that were removed from the installation.
    ///
    /// It is shorter than the time after which the alert of a lost lease fires. Defaults to 5 s.
    package var clusterInterval: Duration = .seconds(5)

    /// The source of random bits.
    ///
    /// Defaults to the system's generator.
    package var randomness: Randomness = .system

    /// The program's version.
    package var version: String

    /// Creates a configuration with default values for the other properties.
    package init(database: PostgresConfiguration, secrets: SecretsFile, version: String) {
        self.database = database
        self.secrets = secrets
        self.version = version
    }
}
