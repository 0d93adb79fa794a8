import Glibc
import Postgres
import Subprocess
import TestSupport
import Testing

/// PgBouncer in transaction mode, in front of a server.
enum PgBouncer {
    private static let programs = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]
    /// A port is only a part of the socket's name here.
    private static let port = 6432

    /// Runs `body` with the parameters of a connection string that leads through PgBouncer.
    ///
    /// Without an installed PgBouncer, this records a warning instead.
    ///
    /// - Parameters:
    ///   - server: The server, as its superuser.
    ///   - body: The test.
    /// - Throws: The error of `body`, or of a start that failed.
    static func with(
        _ server: PostgresConfiguration,
        _ body: (_ host: String, _ port: Int) async throws -> Void
    ) async throws {
        guard let program = programs.first(where: { access($0, X_OK) == 0 }) else {
            Issue.record("PgBouncer is not installed: a pooler is not tested here", severity: .warning)
            return
        }
        try await TemporaryFolder.with { folder in
            let target = ["host", "port", "user"].compactMap { key in server.parameters[key].map { "\(key)=\($0)" } }
            let configuration = """
                [databases]
                * = \(target.joined(separator: " "))
                [pgbouncer]
                listen_addr =
                unix_socket_dir = \(folder)
                listen_port = \(port)
                auth_type = any
                pool_mode = transaction
                ignore_startup_parameters = options,extra_float_digits
                logfile = \(folder)/pgbouncer.log
                """
            TemporaryFolder.write(configuration, to: "\(folder)/pgbouncer.ini")
            // PgBouncer refuses to run as root.
            let isRoot = geteuid() == 0
            if isRoot { try await run("chown -R postgres \(folder)") }
            let prefix = isRoot ? "exec setpriv --reuid=postgres --regid=postgres --clear-groups --" : "exec"
            // `exec` makes the process id PgBouncer's.
            _ = try await Subprocess.run(
                .name("sh"),
                arguments: ["-c", "\(prefix) \(program) -q \(folder)/pgbouncer.ini"],
                input: .none,
                output: .discarded,
                error: .discarded
            ) { execution in
                defer { kill(execution.processIdentifier.value, SIGKILL) }
                try await eventually("PgBouncer listens") { access("\(folder)/.s.PGSQL.\(port)", F_OK) == 0 }
                try await body(folder, port)
            }
        }
    }

    private static func run(_ command: String) async throws {
        _ = try await Subprocess.run(
            .name("sh"),
            arguments: ["-c", command],
            input: .none,
            output: .discarded,
            error: .discarded
        )
    }
}
