import FoundationEssentials
import KeyStore
import Keys
import Migrations
import Postgres
import Synchronization
import Tenancy
import TestSupport

/// An installation in a fresh control database on the shared server.
struct TestInstallation: Sendable {
    let owner: PostgresConfiguration
    let installation: Installation
    let logs = LogCollector()

    static let password = "runtime-password-that-must-not-show"

    /// Starts the installation, or another node of it.
    func bootstrap(password: String = Self.password, version: String = "1.0") async throws -> ControlDatabase {
        try await ControlDatabase.bootstrap(
            owner: owner,
            installation: installation,
            credentials: ClusterCredentials(
                runtimePassword: { _ in password },
                ownerPassword: { [owner] _ in owner.password }
            ),
            version: version,
            migratorOptions: MigratorOptions(lockPatience: .ample, lockTimeout: .ample),
            reactor: TestReactor.shared,
            logger: logs.logger
        )
    }

    /// Reads the rows of the control database, as the owner.
    func withStore<T>(_ body: (ControlStore) async throws -> T) async throws -> T {
        try await withConnection(to: owner) { try await body(ControlStore($0)) }
    }

    /// Writes rows of the control database in a transaction, as the owner.
    func write<T>(_ body: (ControlWriter) async throws -> T) async throws -> T {
        try await withConnection(to: owner) { connection in
            try await connection.auditedTransaction { try await body(ControlWriter($0, installation: installation)) }
        }
    }

    /// Creates an organization with a default workspace.
    func makeTenant(_ provisioner: Provisioner, name: String = "Acme") async throws -> Workspace {
        let organization = try await write { try await $0.createOrganization(NewOrganization(name: name), by: .system) }
        return try await provisioner.create(NewWorkspace(organizationID: organization.id, isDefault: true), by: .system)
    }

    /// Connects to one of the installation's databases as the owner.
    func withDatabase<T>(_ name: String, _ body: (PostgresConnection) async throws -> T) async throws -> T {
        try await withConnection(to: owner.database(name), body)
    }

    /// Connects to one of the installation's databases as the runtime role.
    func withRuntime<T>(_ name: String, _ body: (PostgresConnection) async throws -> T) async throws -> T {
        let configuration = owner.database(name).user(installation.runtimeRole, password: Self.password)
        return try await withConnection(to: configuration, body)
    }

    /// Returns the names of the installation's databases, without the control database.
    func databases() async throws -> [String] {
        try await withConnection(to: owner) {
            try await $0.texts(
                "SELECT datname::text FROM pg_database WHERE starts_with(datname, '\(installation.prefix)_') ORDER BY 1"
            )
        }
    }

    /// Drops the installation's databases.
    fileprivate func clean() async throws {
        for name in try await databases() {
            let database = PostgresConnection.quote(identifier: name)
            try await administer("ALTER DATABASE \(database) WITH IS_TEMPLATE false")
            try await administer("DROP DATABASE \(database) WITH (FORCE)")
        }
    }
}

/// Runs `body` with a new installation, and removes its databases and its role afterwards.
func withInstallation<T>(_ body: (TestInstallation) async throws -> T) async throws -> T {
    let prefix = "t" + String(UInt64.random(in: 0...UInt64.max), radix: 36)
    let installation = try Installation(prefix: prefix)
    let outcome: Result<T, any Error> = try await withDatabase { owner in
        let test = TestInstallation(owner: owner, installation: installation)
        let outcome: Result<T, any Error>
        do {
            outcome = .success(try await body(test))
        } catch {
            outcome = .failure(error)
        }
        try await test.clean()
        return outcome
    }
    // The role has privileges in the control database, so the role is dropped after it.
    try await administer("DROP ROLE IF EXISTS \(PostgresConnection.quote(identifier: installation.runtimeRole))")
    return try outcome.get()
}

/// Runs `body` with a second workspace of an organization in a new installation, which can be suspended and archived.
func withTenant(
    _ body: (TestInstallation, ControlDatabase, Provisioner, Workspace) async throws -> Void
) async throws {
    try await withInstallation { test in
        let control = try await test.bootstrap()
        let provisioner = Provisioner(control, options: .ample)
        let first = try await test.makeTenant(provisioner)
        let new = NewWorkspace(organizationID: first.organizationID, name: "second")
        try await body(test, control, provisioner, try await provisioner.create(new, by: .system))
        await provisioner.shutdown()
    }
}

/// Runs `body` with a new connection.
func withConnection<T>(
    to configuration: PostgresConfiguration,
    _ body: (PostgresConnection) async throws -> T
) async throws -> T {
    try await PostgresConnection.with(
        configuration,
        reactor: TestReactor.shared,
        logger: LogCollector().logger,
        body
    )
}

extension PostgresConnection {
    /// Returns the first column of a query, as text.
    func texts(_ sql: String) async throws -> [String] {
        try await query(Statement(sql, prepared: false)).map { try $0.decode(0) }
    }

    /// Returns the SQLSTATE with which a script is refused, or `nil` if it succeeds.
    func refusal(of sql: String) async -> SQLState? {
        do throws(PostgresError) {
            try await script(sql)
            return nil
        } catch {
            return error.sqlState
        }
    }
}

extension DatabasesOptions {
    /// The default bounds with deadlines that a busy machine does not reach.
    static var ample: Self {
        DatabasesOptions(
            placePatience: .ample,
            leaseDeadline: .ample,
            stopDeadline: .ample,
            // A session that a busy machine delays would be replaced by another one, and tests count sessions.
            lookupSilence: .ample,
            lookupDeadline: .ample,
            managementDeadline: .ample,
            fenceDeadline: .ample,
            limitDeadline: .ample
        )
    }
}

extension ProvisionerOptions {
    /// The default bounds with deadlines that a busy machine does not reach.
    static var ample: Self {
        ProvisionerOptions(
            stopDeadline: .ample,
            leaseDeadline: .ample,
            lockPatience: .ample,
            databaseDeadline: .ample,
            templatePatience: .ample,
            fenceDeadline: .ample
        )
    }
}
