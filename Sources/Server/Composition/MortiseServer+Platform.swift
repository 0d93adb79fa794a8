import KeyStore
import Keys
import Logging
import Notices
import Postgres
import Service
import Tenancy
import Verification

extension MortiseServer {
    /// Opens the databases, and creates the use cases over them.
    static func platform(
        _ configuration: ServerConfiguration,
        _ outbound: OutboundClient,
        _ threads: ServingThreads,
        _ logger: Logger
    ) async throws -> Platform {
        let installation = configuration.installation
        let control = try await ControlDatabase.bootstrap(
            owner: configuration.database,
            installation: installation,
            credentials: ClusterCredentials(
                derivedFrom: configuration.secrets,
                installation: installation,
                ownerPassword: configuration.clusterPassword
            ),
            admit: { try await Bootstrap.admit(configuration.secrets, $0, logger) },
            version: configuration.version,
            reactor: threads.next,
            logger: logger
        )
        let databases = try Databases(
            control,
            peppers: configuration.secrets.peppers.ids.map(\.text),
            reactors: threads.reactors,
            options: configuration.databases
        )
        let searches = SearchRequests()
        let usage = UsageRecorder(
            options: configuration.usage,
            logger: logger,
            isLate: { home in
                switch home {
                case .control: false
                case .workspace(let workspace): databases.wouldReplaceLookups(workspace)
                }
            },
            isCutOff: { home in
                switch home {
                case .control: databases.isCutOff(from: nil)
                case .workspace(let workspace): databases.isCutOff(from: workspace)
                }
            }
        ) { home, counts in
            switch home {
            case .control:
                // A failed COMMIT can have committed.
                defer { searches.add(ofAdminKeys: counts.filter(\.concernsNotices).map(\.keyID)) }
                try await databases.noting(nil, isChange: true) {
                    try await databases.control.usage.withConnection { try await UsageStore($0).add(counts) }
                }
            case .workspace(let workspace):
                defer { if counts.contains(where: \.concernsNotices) { searches.add(workspace.workspaceID) } }
                // The verifications that are counted left a look-up connection behind, so a flush opens none, unless it is late.
                try await databases.noting(workspace, isChange: true) {
                    try await databases.withLookups(workspace) { try await UsageStore.add(counts, over: $0) }
                }
            }
        }
        return try Platform(
            installation: installation,
            provisioner: Provisioner(
                control,
                options: configuration.provisioner,
                fencing: databases.fencing,
                makeRoom: { await databases.makeRoom(for: $0) }
            ),
            databases: databases,
            verifier: Verifier(
                databases: databases,
                peppers: configuration.secrets.peppers,
                usage: usage,
                deadline: configuration.databases.lookupDeadline,
                cacheBytes: configuration.cacheBytes,
                maximumKeyAge: configuration.maximumKeyAge
            ),
            usage: usage,
            quotas: configuration.quotas,
            secrets: configuration.secrets,
            randomness: configuration.randomness,
            now: configuration.now,
            providerTime: configuration.providerTime,
            elapsed: configuration.elapsed,
            passwordCost: configuration.passwordCost,
            identityProvider: configuration.identityProvider,
            passwordUse: configuration.passwordUse,
            exchange: { try await outbound.send($0) },
            version: configuration.version,
            notices: configuration.notices,
            searches: searches,
            leaks: configuration.leaks,
            // By default half of the processors.
            longLists: threads.reactors.count,
            logger: logger
        )
    }
}
