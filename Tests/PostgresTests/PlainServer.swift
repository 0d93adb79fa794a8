import FoundationEssentials
import Glibc
import LocalPostgres
import Postgres
import Subprocess
import TestSupport

/// A server with a `pg_hba.conf` of its own, and with TCP and TLS if a test needs them.
///
/// `LocalPostgres` listens on a Unix socket and trusts every client, and libpq uses TLS over TCP only.
struct PlainServer: Sendable {
    let folder: String
    let port: Int

    struct Failure: Error {
        let command: String
        let output: String
    }

    /// The folder of the server's programs, which must be installed.
    static let binaries = (try? PostgresInstallation.find().binaries) ?? ""

    static func start(
        listensOnTCP: Bool = false,
        hostRules: [String],
        settings: [String: String] = [:],
        files: [String: String] = [:]
    ) async throws -> PlainServer {
        var attempts = 0
        while true {
            attempts += 1
            let folder = try await run("mktemp -d /tmp/plain-server-XXXXXX && true").trimmed
            let server = PlainServer(folder: folder, port: Int.random(in: 20_000..<32_000))
            do {
                try await server.start(
                    listensOnTCP: listensOnTCP,
                    hostRules: hostRules,
                    settings: settings,
                    files: files
                )
                return server
            } catch {
                let log = (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? ""
                await server.stop()
                // Another program can have the port.
                guard attempts < 5, log.contains("Address already in use") else { throw error }
            }
        }
    }

    private func start(
        listensOnTCP: Bool,
        hostRules: [String],
        settings: [String: String],
        files: [String: String]
    ) async throws {
        // The server refuses to run as root.
        if geteuid() == 0 { try await Self.run("chown postgres \(folder)") }
        try await asOwner(
            "\(Self.binaries)/initdb -D \(folder)/data -U postgres -A trust -N -E UTF8 --locale=C.UTF-8"
        )
        for (name, text) in files {
            try text.write(toFile: "\(folder)/data/\(name)", atomically: false, encoding: .utf8)
        }
        let rules = hostRules.joined(separator: "\n") + "\n"
        try rules.write(toFile: "\(folder)/data/pg_hba.conf", atomically: false, encoding: .utf8)
        if geteuid() == 0 {
            try await Self.run("chown -R postgres \(folder)/data && chmod -f 600 \(folder)/data/*.key; true")
        }
        var options = [
            "port": "\(port)", "unix_socket_directories": folder, "fsync": "off", "max_connections": "20",
            "listen_addresses": listensOnTCP ? "127.0.0.1" : "", "shared_buffers": "16MB",
        ]
        options.merge(settings) { _, new in new }
        let arguments = options.sorted { $0.key < $1.key }.map { "-c \($0.key)=\($0.value.isEmpty ? "''" : $0.value)" }
        try await asOwner(
            "\(Self.binaries)/pg_ctl start -D \(folder)/data -w -t 3600 -l \(folder)/log -o \"\(arguments.joined(separator: " "))\""
        )
    }

    /// Runs `body`, and stops the server afterwards.
    func use(_ body: (PlainServer) async throws -> Void) async throws {
        try await withResource(self, body, close: { await $0.stop() })
    }

    private func stop() async {
        _ = try? await asOwner("\(Self.binaries)/pg_ctl stop -D \(folder)/data -m immediate -w")
        try? FileManager.default.removeItem(atPath: folder)
    }

    /// Returns the configuration of the superuser over the Unix socket.
    func configuration(_ more: String = "") throws -> PostgresConfiguration {
        try patient("host=\(folder) port=\(port) user=postgres dbname=postgres \(more)")
    }

    /// Returns the configuration of the superuser over TCP.
    func configurationOverTCP(_ more: String) throws -> PostgresConfiguration {
        try patient("hostaddr=127.0.0.1 port=\(port) user=postgres dbname=postgres \(more)")
    }

    private func patient(_ text: String) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(text)
        configuration.connectDeadline = .ample
        configuration.queryDeadline = .ample
        return configuration
    }

    @discardableResult
    func asOwner(_ command: String) async throws -> String {
        try await Self.run(
            geteuid() == 0 ? "exec setpriv --reuid=postgres --regid=postgres --clear-groups -- \(command)" : command
        )
    }

    @discardableResult
    static func run(_ command: String) async throws -> String {
        // The server inherits the descriptors. If its output were a pipe, the pipe would never end.
        let file = FileManager.default.temporaryDirectory.appending(path: "plain-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: file) }
        let result = try await Subprocess.run(
            .name("sh"),
            arguments: ["-c", "{ \(command); } >\(file) 2>&1 </dev/null"],
            output: .discarded,
            error: .discarded
        )
        let output = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        guard result.terminationStatus.isSuccess else { throw Failure(command: command, output: output) }
        return output
    }
}

extension String {
    var trimmed: String { String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
}
