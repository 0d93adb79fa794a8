package import Connections
import Fence
package import Keys
import Logging
import Notices
package import Postgres
package import Server
import Service
package import Tenancy
package import TestSupport
import Testing

/// The gate that bounds the number of installations.
///
/// Swift Testing starts all tests together, and each installation has databases.
private let installations = Semaphore(slots: 3, for: "an installation")

/// The names and secrets of one temporary installation on a PostgreSQL server.
package struct TestInstallation: Sendable {
    /// The names of the databases and roles.
    package let installation: Installation
    /// The secrets file.
    package let secrets: SecretsFile
    /// The PostgreSQL server.
    package let server: TestServer

    /// Creates names that are unique to the test.
    package init(_ server: TestServer) throws {
        self.server = server
        let name = String(UInt64.random(in: 0...UInt64.max), radix: 36)
        installation = try Installation(prefix: "t\(name)")
        var generator = SystemRandomNumberGenerator()
        let id = try #require(SecretID("a"))
        secrets = try #require(SecretsFile.random(id: id, using: &generator))
    }

    /// The superuser's configuration for the control database, which does not exist at first.
    package var control: PostgresConfiguration { server.configuration(database: "\(installation.prefix)_control") }

    /// Returns the configuration of a server of this installation.
    package func configuration() -> ServerConfiguration {
        var configuration = ServerConfiguration(database: control, secrets: secrets, version: "1.0.0-test")
        configuration.listener = .tcp(host: "127.0.0.1", port: 0)
        configuration.installation = installation
        // Tests of passwords set the real cost.
        configuration.passwordCost = PasswordCost(logN: 10) ?? .standard
        // Only a test that sets its own deadlines and clock depends on time.
        configuration.clock = MachineClock.shared
        configuration.databases = .ample
        configuration.provisioner = .ample
        configuration.repairPatience = .ample
        configuration.connections = .ample
        configuration.shutdownGrace = .seconds(60).onThisMachine
        // A look at the standbys takes a connection, and tests count connections.
        configuration.standbyInterval = .seconds(3600)
        configuration.elapsed = { .zero }
        // A search visits every database. A test asks for it, or turns it on.
        configuration.notices.searches = false
        configuration.notices.relayDeadline = .ample
        configuration.notices.countDeadline = .ample
        // A report of leaked tokens is answered at once, except in the test of that time.
        configuration.leaks.answerStep = .zero
        return configuration
    }

    /// Removes every database and role of the installation.
    package func remove() async throws {
        let maintenance = try await PostgresConnection.connect(
            server.configuration(),
            reactor: try TestReactor.shared,
            logger: Logger(label: "test.cleanup", factory: { _ in SwiftLogNoOpLogHandler() })
        )
        let rows = try await maintenance.query(
            Statement("SELECT datname::text FROM pg_database WHERE starts_with(datname, $1)", prepared: false),
            [installation.prefix]
        )
        for row in rows {
            let name = PostgresConnection.quote(identifier: try row.decode(0, as: String.self))
            try? await maintenance.script("ALTER DATABASE \(name) IS_TEMPLATE false")
            try await maintenance.script("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", deadline: .ample)
        }
        try await maintenance.script(
            "DROP ROLE IF EXISTS \(PostgresConnection.quote(identifier: installation.runtimeRole))"
        )
        await maintenance.close()
    }
}

/// Creates an installation on the shared PostgreSQL server for one test, and removes the installation afterwards.
package func withInstallation<T>(_ body: (TestInstallation) async throws -> T) async throws -> T {
    try await installations.withSlot {
        let installation = try TestInstallation(try await TestServer.shared)
        do {
            let value = try await body(installation)
            try await Task { try await installation.remove() }.value
            return value
        } catch {
            // The test's own error is the one to report.
            try? await Task { try await installation.remove() }.value
            throw error
        }
    }
}

extension ConnectionLimits {
    /// The default number of connections with deadlines that a busy machine does not reach.
    ///
    /// The waits of a server that stops are as short as in production.
    package static var ample: Self {
        var limits = ConnectionLimits()
        limits.head = .ample
        limits.idle = .ample
        limits.body = .ample
        limits.answer = .ample
        limits.drainingAnswer = .ample
        return limits
    }
}

extension DatabasesOptions {
    /// The default bounds with deadlines that a busy machine does not reach.
    package static var ample: Self {
        DatabasesOptions(
            placePatience: .ample,
            leaseDeadline: .ample,
            stopDeadline: .ample,
            blockerPatience: .ample / 8,
            // A session that a busy machine delays would be replaced, and its look-ups would be sent and counted twice.
            lookupSilence: .ample,
            lookupDeadline: .ample,
            managementDeadline: .ample,
            requestDeadline: .ample,
            longRequestDeadline: .ample,
            // A lease that a busy machine cannot renew in time would be an answer 503.
            fenceTimes: FenceTimes(trust: .seconds(6)),
            // A change whose fence is late is an answer 503, and an exchange that is late counts the uses of each node alone.
            fenceDeadline: .seconds(30),
            limitDeadline: .seconds(30)
        )
    }
}

extension ProvisionerOptions {
    /// The default bounds with deadlines that a busy machine does not reach.
    package static var ample: Self {
        ProvisionerOptions(
            stopDeadline: .ample,
            blockerPatience: .ample / 8,
            leaseDeadline: .ample,
            lockPatience: .ample,
            databaseDeadline: .ample,
            templatePatience: .ample,
            statusPatience: .ample,
            fenceDeadline: .ample
        )
    }
}
