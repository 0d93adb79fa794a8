import Keys
import Logging
import Migrations
import Postgres
import Service
import Tenancy

/// The control database for commands that work on it as its owner.
struct InstallationAccess {
    private let settings: InstallationSettings
    /// A logger that writes nothing, because the commands print what happens.
    let logger: Logger

    init(_ settings: InstallationSettings, label: String) {
        self.settings = settings
        logger = Logger(label: label) { _ in SwiftLogNoOpLogHandler() }
    }

    /// Opens the control database, which must have the schema of this version, for `body`.
    ///
    /// - Throws: `CommandFailure`, and the error of `body`.
    func withControl<Value>(_ body: (ControlDatabase, Host) async throws -> Value) async throws -> Value {
        try await inspecting { control, inspection, _, host in
            guard inspection.plans.allSatisfy({ $0.fault == nil }) else {
                throw CommandFailure(
                    .refused,
                    "The control database does not have a schema of this version.",
                    details: ["Use the version of the servers that run."]
                )
            }
            return try await body(control, host)
        }
    }

    /// Opens the control database for `body`, whatever version its schema has, with a connection of its owner.
    ///
    /// - Throws: `CommandFailure`, and the error of `body`.
    func withConnection<Value>(
        _ body: (ControlDatabase, PostgresConnection) async throws -> Value
    ) async throws -> Value {
        try await inspecting { control, _, reactor, host in
            try await PostgresConnection.with(try host.configuration(), reactor: reactor, logger: logger) {
                try await body(control, $0)
            }
        }
    }

    /// Opens the control database for `body`, with what was found of its schema, whatever its version is.
    ///
    /// - Throws: `CommandFailure`, and the error of `body`.
    func inspecting<Value>(
        whatToDoWithoutOne: String = "`mortise serve` creates it.",
        _ body: (ControlDatabase, InstallationFindings, Reactor, Host) async throws -> Value
    ) async throws -> Value {
        try await Host.with(settings, secretsFile: .never, logger: logger) { host in
            try await Reactor.with(name: "owner") { reactor in
                let owner = try host.configuration()
                // The passwords of roles derive from the secrets, which must be those of every node.
                try await Bootstrap.checkBefore(host.secrets, owner: owner, reactor: reactor, logger: logger)
                let inspection = try await ControlDatabase.inspect(
                    owner: owner,
                    credentials: ClusterCredentials(derivedFrom: host.secrets, installation: .standard),
                    version: Version.current,
                    reactor: reactor,
                    logger: logger
                )
                guard let control = inspection.control else {
                    throw CommandFailure(
                        .refused,
                        "There is no installation yet.",
                        details: [whatToDoWithoutOne]
                    )
                }
                return try await body(control, inspection, reactor, host)
            }
        }
    }
}
