import KeyStore
import Migrations
import Postgres
import Tenancy
import TestSupport
import Testing

@Suite(.hangLimit) struct BootstrapTests {
    @Test func `a first start creates everything, and a second start finds it`() async throws {
        try await withInstallation { test in
            let first = try await test.bootstrap()
            #expect(first.migration.files.count > 0)
            #expect(first.primary.isPrimary)
            let second = try await test.bootstrap()
            #expect(second.migration.isEmpty)
            #expect(second.primary == first.primary)
            try await test.withRuntime(test.owner.database ?? "") { runtime in
                let states = try await runtime.texts("SELECT state FROM auth.workspace")
                #expect(states == ["active"])
            }
        }
    }

    @Test func `concurrent starts all succeed and use the same cluster`() async throws {
        try await withInstallation { test in
            let clusters = try await withThrowingTaskGroup(of: Cluster.self) { group in
                for _ in 0..<4 { group.addTask { try await test.bootstrap().primary } }
                return try await group.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(clusters.count == 1)
        }
    }

    @Test func `a control database that does not exist is created`() async throws {
        try await withInstallation { test in
            // The name has the installation's prefix, so the cleanup removes the database.
            let owner = test.owner.database("\(test.installation.prefix)_control")
            let other = TestInstallation(owner: owner, installation: test.installation)
            _ = try await other.bootstrap()
            let prefix = test.installation.prefix
            #expect(try await test.databases() == ["\(prefix)_cluster", "\(prefix)_control"])
        }
    }

    // pg_restore on a new server: the tables are there, the role is not, and everybody can connect.
    @Test func `after a restore without roles a start grants everything again, and says so`() async throws {
        try await withInstallation { test in
            let control = try await test.bootstrap()
            let provisioner = Provisioner(control, options: .ample)
            let workspace = try await test.makeTenant(provisioner)
            let names = [test.owner.database ?? "", workspace.database]
            let role = test.installation.runtimeRole
            for name in names + [test.installation.clusterDatabase] {
                try await test.withDatabase(name) { connection in
                    try await connection.script("DROP OWNED BY \(role)")
                    // A restored database has no privileges of its own.
                    try await connection.script(
                        "UPDATE pg_database SET datacl = NULL WHERE datname = current_database(); DROP OWNED BY \(role)"
                    )
                }
            }
            // `mortise doctor` shows it before that start.
            #expect(try await control.databasesWithoutPrivileges() == [workspace.database])
            // A restore has no template.
            for name in try await test.databases() where name.contains("_template_") {
                try await administer("ALTER DATABASE \(name) IS_TEMPLATE false")
                try await administer("DROP DATABASE \(name)")
            }
            try await administer("DROP ROLE \(role)")
            let restarted = Provisioner(try await test.bootstrap(), options: .ample)
            _ = try await restarted.repairAll()
            for name in names {
                #expect(test.logs.text.contains(name))
                try await test.withRuntime(name) { runtime async throws in
                    #expect(try await runtime.texts("SELECT state FROM auth.workspace") == ["active"])
                    #expect(await runtime.refusal(of: "DELETE FROM auth.key_events") == .insufficientPrivilege)
                }
                let everybody = try await withConnection(to: test.owner) {
                    try await $0.texts(
                        "SELECT 1::text FROM pg_database, aclexplode(datacl) WHERE datname = '\(name)' AND grantee = 0"
                    )
                }
                #expect(everybody.isEmpty)
            }
            #expect(test.logs.text.contains("as after a restore without roles"))
            await restarted.shutdown()
            await provisioner.shutdown()
        }
    }

    // The fault: the grants of tables that a workspace's database does not have yet kept all others of the cluster without privileges.
    @Test func `after a restore without roles, a database that is older or damaged keeps no other without privileges`()
        async throws
    {
        try await withInstallation { test in
            let provisioner = Provisioner(try await test.bootstrap(), options: .ample)
            let older = try await test.makeTenant(provisioner)
            let damaged = try await test.makeTenant(provisioner)
            let sound = try await test.makeTenant(provisioner)
            let role = test.installation.runtimeRole
            for name in [older.database, damaged.database, sound.database] {
                try await test.withDatabase(name) { try await $0.script("DROP OWNED BY \(role)") }
            }
            let files = "'w0024_key_addresses', 'w0025_key_addresses_by_day'"
            try await test.withDatabase(older.database) {
                try await $0.script(
                    "DROP TABLE auth.key_addresses; DELETE FROM mortise.migrations WHERE name IN (\(files))"
                )
            }
            try await test.withDatabase(damaged.database) { try await $0.script("DROP TABLE auth.key_addresses") }
            let restarted = Provisioner(try await test.bootstrap(), options: .ample)
            _ = try await restarted.repairAll()
            for name in [older.database, sound.database] {
                try await test.withRuntime(name) { runtime async throws in
                    #expect(try await runtime.texts("SELECT state FROM auth.workspace") == ["active"])
                }
            }
            #expect(test.logs.text.contains("are missing, and cannot be granted again"))
            await restarted.shutdown()
            await provisioner.shutdown()
        }
    }

    // Somebody set the role to be read-only, by hand or by a tool: the setting survives restarts and kept the service from starting.
    @Test func `a start removes the settings of the runtime role, and says so`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let role = test.installation.runtimeRole
            let database = PostgresConnection.quote(identifier: test.owner.database ?? "")
            try await administer("ALTER ROLE \(role) SET default_transaction_read_only = on")
            try await administer("ALTER ROLE \(role) IN DATABASE \(database) SET statement_timeout = '1ms'")
            _ = try await test.bootstrap()
            let values = try await test.withRuntime(test.owner.database ?? "") {
                try await $0.texts(
                    "SELECT current_setting('default_transaction_read_only') || current_setting('statement_timeout')"
                )
            }
            #expect(values == ["off0"])
            #expect(test.logs.text.contains("default_transaction_read_only=on"))
            #expect(test.logs.text.contains("statement_timeout=1ms in"))
        }
    }

    @Test(arguments: [("LATIN1", "C"), ("SQL_ASCII", "C")])
    func `a database with another encoding is refused with a sentence`(_ encoding: String, _ locale: String)
        async throws
    {
        try await withInstallation { test in
            let name = "\(test.installation.prefix)_control"
            try await administer(
                "CREATE DATABASE \(name) TEMPLATE template0 ENCODING '\(encoding)' LOCALE '\(locale)'"
            )
            let other = TestInstallation(owner: test.owner.database(name), installation: test.installation)
            let error = await #expect(throws: TenancyError.self) { try await other.bootstrap() }
            #expect(error?.code == .incompatible)
            #expect(error?.message.contains(encoding) == true)
        }
    }

    // Hosted databases come with a schema of that name.
    @Test func `a database with somebody else's schema auth is refused and left alone`() async throws {
        try await withInstallation { test in
            try await withConnection(to: test.owner) { try await $0.script("CREATE SCHEMA auth") }
            let error = await #expect(throws: TenancyError.self) { try await test.bootstrap() }
            #expect(error?.code == .incompatible)
            #expect(error?.message.contains("schema auth") == true)
            let schemas = try await withConnection(to: test.owner) {
                try await $0.texts(
                    "SELECT nspname::text FROM pg_namespace WHERE nspname IN ('auth', 'control', 'mortise')"
                )
            }
            #expect(schemas == ["auth"])
        }
    }

    // An old program would serve rules that it does not know.
    @Test func `a control database that a later release migrated is refused and left alone`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            try await withConnection(to: test.owner) {
                try await $0.script(
                    """
                    INSERT INTO mortise.migrations (line, name, checksum, duration_ms, version)
                    VALUES ('control', 'c9999_later', repeat('0', 64), 1, '99.0')
                    """
                )
            }
            let error = await #expect(throws: TenancyError.self) { try await test.bootstrap(password: "another") }
            #expect(error?.code == .incompatible)
            #expect(error?.message.contains("newer than this program") == true)
            try await test.withRuntime(test.owner.database ?? "") { _ in }
        }
    }

    // The password must not appear in a log of the server or the client, so PostgreSQL receives a SCRAM verifier.
    @Test func `the runtime role's password is set and appears in no log`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            let role = test.installation.runtimeRole
            let stored = try await withConnection(to: test.owner) {
                try await $0.texts("SELECT rolpassword FROM pg_authid WHERE rolname = '\(role)'")
            }
            #expect(stored.first?.hasPrefix("SCRAM-SHA-256$") == true)
            #expect(!test.logs.text.contains(TestInstallation.password))
        }
    }

    // The accident: a staging control database is created on the production server and takes over the role of the
    // production service.
    @Test func `a second installation on a server is refused, and the first one's role is unchanged`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            func password() async throws -> [String] {
                try await withConnection(to: test.owner) {
                    try await $0.texts(
                        "SELECT rolpassword FROM pg_authid WHERE rolname = '\(test.installation.runtimeRole)'"
                    )
                }
            }
            let before = try await password()
            let other = TestInstallation(
                owner: test.owner.database("\(test.installation.prefix)_staging"),
                installation: test.installation
            )
            let error = await #expect(throws: TenancyError.self) { try await other.bootstrap(password: "another") }
            #expect(error?.code == .incompatible)
            #expect(error?.message.contains(test.installation.runtimeRole) == true)
            #expect(try await password() == before)
            // The first installation keeps working. The other one can use the role after the first releases it.
            _ = try await test.bootstrap()
            try await administer("COMMENT ON ROLE \(test.installation.runtimeRole) IS NULL")
            _ = try await other.bootstrap()
            await #expect(throws: TenancyError.self) { try await test.bootstrap() }
        }
    }

    // The accident: a program with other secrets runs the migration, and every server is locked out at its next
    // connection.
    @Test func `a program that sets no password, or that is not admitted, does not change the role's password`()
        async throws
    {
        struct Refused: Error {}
        try await withInstallation { test in
            let database = test.owner.database ?? ""
            _ = try await test.bootstrap()
            func start(setsPassword: Bool, admit: @Sendable (PepperStore) async throws -> Void) async throws {
                _ = try await ControlDatabase.bootstrap(
                    owner: test.owner,
                    installation: test.installation,
                    credentials: ClusterCredentials(runtimePassword: { _ in "another" }),
                    setsPassword: setsPassword,
                    admit: admit,
                    version: "1.0",
                    reactor: TestReactor.shared,
                    logger: test.logs.logger
                )
            }
            func stored() async throws -> [String] {
                try await test.withDatabase(database) {
                    try await $0.texts(
                        "SELECT rolpassword FROM pg_authid WHERE rolname = '\(test.installation.runtimeRole)'"
                    )
                }
            }
            let before = try await stored()
            try await start(setsPassword: false) { _ in }
            await #expect(throws: Refused.self) { try await start(setsPassword: true) { _ in throw Refused() } }
            #expect(try await stored() == before)
            try await start(setsPassword: true) { _ in }
            #expect(try await stored() != before)
        }
    }

    @Test func `an owner without the right to create databases is told what to change`() async throws {
        try await withInstallation { test in
            let role = "\(test.installation.prefix)_weak"
            try await administer("CREATE ROLE \(role) LOGIN PASSWORD 'guess'")
            let owner = test.owner.user(role, password: "guess")
            let error = await #expect(throws: TenancyError.self) {
                try await TestInstallation(owner: owner, installation: test.installation).bootstrap()
            }
            #expect(error?.code == .incompatible)
            #expect(error?.message.contains("CREATEDB") == true)
            try await administer("DROP ROLE \(role)")
        }
    }

    // A hosted PostgreSQL provides no superuser, so CREATEDB and CREATEROLE must be enough.
    @Test func `an owner without superuser rights can perform every operation`() async throws {
        try await withInstallation { test in
            let role = "\(test.installation.prefix)_owner"
            try await administer("CREATE ROLE \(role) LOGIN CREATEDB CREATEROLE PASSWORD 'guess'")
            try await administer("ALTER DATABASE \(test.owner.database ?? "") OWNER TO \(role)")
            let owner = test.owner.user(role, password: "guess")
            let owned = TestInstallation(owner: owner, installation: test.installation)
            let provisioner = Provisioner(try await owned.bootstrap(), options: .ample)
            let first = try await owned.makeTenant(provisioner)
            let second = try await provisioner.create(
                NewWorkspace(organizationID: first.organizationID, name: "b"),
                by: .system
            )
            _ = try await provisioner.suspend(second.id, by: .system)
            // A running service has connections to the database, which end with the database.
            try await test.withRuntime(second.database) { runtime in
                try await runtime.script("SELECT 1")
                try await provisioner.delete(second.id, by: .system)
                await #expect(throws: PostgresError.self) { try await runtime.script("SELECT 1") }
            }
            #expect(try await !test.databases().contains(second.database))
            #expect(try await provisioner.migrateFleet().isSuccess)
            await provisioner.shutdown()
            try await test.withDatabase(first.database) { _ in }
            for name in try await test.databases() {
                let database = PostgresConnection.quote(identifier: name)
                try await administer("ALTER DATABASE \(database) WITH IS_TEMPLATE false")
                try await administer("DROP DATABASE \(database) WITH (FORCE)")
            }
            try await administer("ALTER DATABASE \(test.owner.database ?? "") OWNER TO CURRENT_USER")
            try await withConnection(to: test.owner) {
                try await $0.script("DROP OWNED BY \(test.installation.runtimeRole); DROP OWNED BY \(role) CASCADE")
            }
            try await administer("DROP ROLE \(test.installation.runtimeRole)")
            try await administer("DROP ROLE \(role)")
        }
    }

    @Test func `a pepper and a seed are inserted once`() async throws {
        try await withInstallation { test in
            _ = try await test.bootstrap()
            try await withConnection(to: test.owner) { connection in
                let peppers = PepperStore(connection)
                let value = [UInt8](repeating: 7, count: 32)
                let isNew = try await peppers.insert("p1", checkValue: value)
                let isNewAgain = try await peppers.insert("p1", checkValue: [UInt8](repeating: 8, count: 32))
                #expect(isNew && !isNewAgain)
                #expect(try await peppers.checkValues() == ["p1": value])
            }
            #expect(try await test.withStore { try await $0.seed("operator") } == nil)
            let isInserted = try await test.write { try await $0.insertSeed("operator", keyID: nil) }
            let isInsertedAgain = try await test.write { try await $0.insertSeed("operator", keyID: nil) }
            #expect(isInserted && !isInsertedAgain)
            #expect(try await test.withStore { try await $0.seed("operator")?.name } == "operator")
        }
    }
}
