import AsyncHTTPClient
import Foundation
import Keys
import LocalPostgres
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import Subprocess

/// A throw-away PostgreSQL, a `mortise serve` on it, and a workspace full of keys.
///
/// That server keeps no keys in memory, so that every verification reads the database. ``withMemory(_:)`` starts one that does.
struct Installation: Sendable {
    let server: LocalPostgres
    let folder: String
    /// The settings of a server, without its address and its memory.
    let settings: [Environment.Key: String?]
    /// The process of the server that is measured.
    private(set) var process: Int32
    /// The URL of the server that is measured.
    private(set) var url: String
    let adminToken: String
    let organizationID: String
    let workspaceConnection: String
    let maintenanceConnection: String
    let tokensFile: String

    static func with(_ options: BenchOptions, _ body: (Installation) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mortise-bench-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var settings = LocalPostgres.Options.throwaway
        // Two servers have a connection to each workspace: the one without memory and the one with it.
        settings.maximumConnections = 2 * options.workspaces + 200
        settings.settings["shared_buffers"] = "1GB"
        settings.settings["max_wal_size"] = "4GB"
        let server = try await LocalPostgres.throwaway(options: settings, logger: Logger(label: "bench"))
        do {
            try await Self.serve(server, folder, options, body)
        } catch {
            await server.stop(mode: .immediate)
            throw error
        }
        await server.stop(mode: .immediate)
    }

    private static func serve(
        _ server: LocalPostgres,
        _ folder: String,
        _ options: BenchOptions,
        _ body: (Installation) async throws -> Void
    ) async throws {
        var generator = SystemRandomNumberGenerator()
        guard let id = SecretID("bench"), let secrets = SecretsFile.random(id: id, using: &generator) else {
            throw BenchError.failed("no secrets")
        }
        let secretsFile = "\(folder)/secrets"
        try secrets.reveal().write(toFile: secretsFile, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: secretsFile)
        let admin = Token.make(prefix: .admin, mode: .live, workspace: .root, using: &generator).reveal()
        let control = try await server.connectionString(database: "mortise")
        let settings: [Environment.Key: String?] = [
            "MORTISE_DATABASE_URL": control,
            "MORTISE_PEPPER_FILE": secretsFile,
            "MORTISE_ADMIN_KEY": admin,
            "MORTISE_LOG_LEVEL": "warning",
            "MORTISE_LOOKUP_WORKSPACES": "\(min(1000, options.workspaces))",
            "MORTISE_WORKSPACES_PER_ORGANIZATION": "100000",
        ]
        try await Self.withServer(settings, port: 18_080, cacheBytes: 0) { url, process in
            let (workspace, organization, database) = try await Self.workspace(control)
            let installation = Installation(
                server: server,
                folder: folder,
                settings: settings,
                process: process,
                url: url,
                adminToken: admin,
                organizationID: organization,
                workspaceConnection: try await server.connectionString(database: database),
                maintenanceConnection: try await server.connectionString(database: "postgres"),
                tokensFile: "\(folder)/tokens"
            )
            try await Keyring.fill(installation, workspace, secrets, options)
            try await body(installation)
        }
    }

    /// Runs another server of the installation, which keeps keys in memory.
    func withMemory(_ body: (Installation) async throws -> Void) async throws {
        try await Self.withServer(settings, port: 18_081, cacheBytes: nil) { url, process in
            var other = self
            other.url = url
            other.process = process
            try await body(other)
        }
    }

    /// Runs the yardstick that answers each verification with the bytes of a file.
    func withAnswers(_ file: String, _ body: (Installation) async throws -> Void) async throws {
        let port = 18_082
        try await Self.withProgram("answer-bench", ["\(port)", file], [:]) { process in
            var other = self
            other.url = "http://127.0.0.1:\(port)"
            other.process = process
            try await Self.waitUntilReady(other.url)
            try await body(other)
        }
    }

    /// Runs `mortise serve`.
    ///
    /// - Parameters:
    ///   - settings: The other settings.
    ///   - port: The port on the loopback interface.
    ///   - cacheBytes: The bytes for keys in memory; `nil` means the default.
    ///   - body: Gets the URL and the process.
    /// - Throws: `BenchError` if the server does not start or fails, and the errors of `body`.
    private static func withServer(
        _ settings: [Environment.Key: String?],
        port: Int,
        cacheBytes: Int?,
        _ body: (String, Int32) async throws -> Void
    ) async throws {
        var environment = settings
        environment["MORTISE_LISTEN"] = "127.0.0.1:\(port)"
        if let cacheBytes { environment["MORTISE_CACHE_BYTES"] = "\(cacheBytes)" }
        try await Self.withProgram("mortise", ["serve"], environment) { process in
            let url = "http://127.0.0.1:\(port)"
            try await Self.waitUntilReady(url)
            try await body(url, process)
        }
    }

    /// Runs a program that was built beside this one, and ends it.
    static func withProgram(
        _ name: String,
        _ arguments: [String],
        _ environment: [Environment.Key: String?],
        _ body: (Int32) async throws -> Void
    ) async throws {
        let binary = Bundle.main.executableURL?.deletingLastPathComponent().appending(path: name).path ?? name
        let result = try await run(
            .name("sh"),
            arguments: Arguments(["-c", "exec \"$0\" \"$@\"", binary] + arguments),
            environment: .inherit.updating(environment),
            input: .none,
            output: .discarded,
            error: .currentStandardError
        ) { execution in
            try await body(execution.processIdentifier.value)
            try execution.send(signal: .terminate)
        }
        guard result.terminationStatus.isSuccess else { throw BenchError.failed("\(name) ended with an error") }
    }

    private static func waitUntilReady(_ url: String) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            let answer = try? await HTTPClient.shared.execute(
                HTTPClientRequest(url: "\(url)/readyz"),
                timeout: .seconds(1)
            )
            if answer?.status.code == 200 { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchError.failed("mortise serve is not ready after 60 s")
    }

    private static func workspace(_ control: String) async throws -> (WorkspaceRef, String, String) {
        let reactor = try Reactor(name: "bench-setup")
        let connection = try await PostgresConnection.connect(
            try PostgresConfiguration(control),
            reactor: reactor,
            logger: Logger(label: "bench")
        )
        let rows = try await connection.query(
            Statement("SELECT ref, organization_id, database FROM control.workspaces WHERE is_default", prepared: false)
        )
        guard let row = rows.first, let ref = WorkspaceRef(try row.decode(0)) else {
            throw BenchError.failed("there is no default workspace")
        }
        let organization: UUID = try row.decode(1)
        let database: String = try row.decode(2)
        await connection.close()
        await reactor.shutdown()
        return (ref, UUIDv7.text(of: organization), database)
    }

    /// Sends a request with the admin key, and returns the answer's text.
    func post(_ path: String, _ body: String, expecting status: UInt = 201) async throws -> String {
        var request = HTTPClientRequest(url: url + path)
        request.method = .POST
        request.headers.add(name: "Authorization", value: "Bearer \(adminToken)")
        request.headers.add(name: "Content-Type", value: "application/json")
        request.body = .bytes(ByteBuffer(string: body))
        let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
        guard answer.status.code == status else {
            throw BenchError.failed("POST \(path) was answered with \(answer.status.code)")
        }
        return String(buffer: try await answer.body.collect(upTo: 65_536))
    }

    /// Writes a file that every user may read, and returns its path.
    func write(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    /// Transactions a second.
    func pgbench(_ script: String, clients: Int, seconds: Int) async throws -> Double {
        let connection = try PostgresConfiguration(workspaceConnection).parameters
        let arguments = [
            "-n", "-M", "prepared", "-f", script, "-c", "\(clients)", "-j", "\(min(clients, 2))", "-T", "\(seconds)",
            "-h", connection["host"] ?? "", "-p", connection["port"] ?? "", "-U", connection["user"] ?? "",
            connection["dbname"] ?? "",
        ]
        let output = try await Self.output("pgbench", arguments)
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("tps = ") }),
            let number = line.dropFirst(6).split(separator: " ").first.flatMap({ Double($0) })
        else { throw BenchError.failed("pgbench said: \(output)") }
        return number
    }

    /// Requests a second; an unexpected answer is an error.
    func wrk(_ script: String, connections: Int, seconds: Int) async throws -> Double {
        let output = try await Self.output(
            "wrk",
            ["-t", "2", "-c", "\(connections)", "-d", "\(seconds)s", "-s", script, "--latency", url]
        )
        if output.contains("unexpected answer") || output.contains("Non-2xx") { throw BenchError.failed(output) }
        let latencies = output.split(separator: "\n").filter { $0.contains("99%") || $0.contains("50%") }
        Report.line(latencies.joined(separator: " "))
        guard let line = output.split(separator: "\n").first(where: { $0.hasPrefix("Requests/sec:") }),
            let number = line.split(separator: " ").last.flatMap({ Double($0) })
        else { throw BenchError.failed("wrk said: \(output)") }
        return number
    }

    private static func output(_ program: String, _ arguments: [String]) async throws -> String {
        let result = try await run(
            .name(program),
            arguments: Arguments(arguments),
            output: .string(limit: 65_536),
            error: .string(limit: 65_536)
        )
        guard result.terminationStatus.isSuccess else {
            throw BenchError.failed("\(program) failed: \(result.standardError)")
        }
        return result.standardOutput
    }

    /// `VmRSS` of the server's process (proc(5)).
    func residentMegabytes() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }),
            let kilobytes = line.split(separator: " ").dropLast().last.flatMap({ Int($0) })
        else { throw BenchError.failed("no VmRSS") }
        return kilobytes / 1024
    }
}
