import LocalPostgres
import Postgres
import TestSupport
import Testing

/// Connection strings behind which something only looks like one PostgreSQL server.
@Suite(.hangLimit) struct ConnectionFaultTests {
    // The fault: through the pooler, the lock of a fence excludes nobody, and a lease counts although a key is fenced.
    @Test func `doctor and serve refuse a pooler in transaction mode`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { _ = try await $0.port() }
            try await PgBouncer.with(installation.server.configuration()) { host, port in
                let pooled = installation.through("host=\(host)&port=\(port)")
                let doctor = try await Program.run(["doctor"], environment: pooled)
                #expect(doctor.code == 1)
                #expect(doctor.output.contains("Advisory locks do not lock"), "\(doctor.everything)")
                #expect(doctor.output.contains("LISTEN receives no notifications"), "\(doctor.everything)")
                #expect(doctor.output.contains("Connect to PostgreSQL directly"), "\(doctor.everything)")
                let serve = try await Program.run(["serve"], environment: pooled)
                #expect(serve.code == 1)
                #expect(serve.errors.contains("advisory locks do not lock"), "\(serve.everything)")
            }
            // Without the pooler, the installation has no such fault.
            let direct = try await Program.run(["doctor"], environment: installation.variables)
            #expect(!direct.output.contains("dvisory locks") && !direct.output.contains("LISTEN"), "\(direct.output)")
        }
    }

    // The fault: half of the nodes change keys on one server, and half of them verify on the other.
    @Test func `doctor and serve refuse two primaries behind one connection string`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { _ = try await $0.port() }
            try await withServer { second, _ in
                let configurations = [installation.server.configuration(), second.configuration()]
                let hosts = configurations.compactMap { $0.parameters["host"] }.joined(separator: ",")
                let ports = configurations.map { $0.parameters["port"] ?? "5432" }.joined(separator: ",")
                let both = installation.through("host=\(hosts)&port=\(ports)")
                let doctor = try await Program.run(["doctor"], environment: both)
                #expect(doctor.code == 1)
                #expect(doctor.output.contains("different servers, and each accepts changes"), "\(doctor.everything)")
                let serve = try await Program.run(["serve"], environment: both)
                #expect(serve.code == 1)
                #expect(serve.errors.contains("each accepts changes"), "\(serve.everything)")
            }
        }
    }

    @Test func `a host that is down is a warning, and a server with two names is one server`() async throws {
        try await ProcessInstallation.with { installation in
            try await installation.serve { _ = try await $0.port() }
            let parameters = installation.server.configuration().parameters
            let host = try #require(parameters["host"])
            let port = parameters["port"] ?? "5432"
            let twice = installation.through("host=\(host),\(host)/.,/nowhere&port=\(port),\(port),\(port)")
            let doctor = try await Program.run(["doctor"], environment: twice)
            #expect(!doctor.output.contains("accepts changes"), "\(doctor.everything)")
            #expect(
                doctor.output.contains("/nowhere:\(port) of the database URL cannot be reached"),
                "\(doctor.everything)"
            )
            _ = try await RunningProgram.with(
                ["serve"],
                installation.serveVariables().merging(twice) { $1 },
                in: installation.folder
            ) { _ = try await $0.port() }
        }
    }
}

extension ProcessInstallation {
    /// Returns the environment of a command that reaches the installation's databases through other hosts.
    fileprivate func through(_ hosts: String) -> [String: String] {
        let user = server.configuration().user ?? "postgres"
        return variables.merging(["MORTISE_DATABASE_URL": "postgresql://\(user)@/mortise?\(hosts)"]) { $1 }
    }
}
