import AsyncHTTPClient
import FoundationEssentials
import JSON
import Keys
import LocalPostgres
import Logging
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

/// An installation on its own PostgreSQL, whose processes a test starts and kills.
struct ProcessInstallation: Sendable {
    let server: TestServer
    let folder: String
    let operatorToken: String
    let adminToken: String
    private let client: HTTPClient
    private let database: String

    /// Runs the body with a new installation, which has a secrets file and no database yet.
    ///
    /// Commits are synchronous as in production. Otherwise `mortise doctor` reports a problem.
    static func with(_ body: (ProcessInstallation) async throws -> Void) async throws {
        try await withServer(maximumConnections: 200, settings: ["synchronous_commit": "on"]) { server, local in
            try await TemporaryFolder.with { folder in
                let client = HTTPClient(
                    eventLoopGroupProvider: .singleton,
                    configuration: HTTPClient.Configuration(timeout: .init(connect: .hours(1)))
                )
                let installation = ProcessInstallation(
                    server: server,
                    folder: folder,
                    operatorToken: SettingsTests.make(.operator).reveal(),
                    adminToken: SettingsTests.make(.admin).reveal(),
                    client: client,
                    database: try await local.connectionString(database: "mortise")
                )
                do {
                    let secrets = try await Program.run(["secrets", "new", "\(folder)/secrets"])
                    try #require(secrets.code == 0, "\(secrets.everything)")
                    try await body(installation)
                    try await client.shutdown()
                } catch {
                    try? await client.shutdown()
                    throw error
                }
            }
        }
    }

    /// The environment of every command of the installation.
    var variables: [String: String] {
        var variables = [
            "MORTISE_DATABASE_URL": database, "MORTISE_PEPPER_FILE": "\(folder)/secrets", "MORTISE_DATA": folder,
        ]
        // The programs of a backup must have the version of the server that the tests run with.
        variables["MORTISE_POSTGRES_BIN"] = ProcessInfo.processInfo.environment["MORTISE_POSTGRES_BIN"]
        return variables
    }

    /// Returns the environment of `mortise serve`.
    ///
    /// The environment has keys that the test knows, unless `isPreset` is false.
    func serveVariables(isPreset: Bool = true) -> [String: String] {
        var more = ["MORTISE_LISTEN": "127.0.0.1:0", "MORTISE_LOG_FORMAT": "json"]
        if isPreset {
            more["MORTISE_OPERATOR_KEY"] = operatorToken
            more["MORTISE_ADMIN_KEY"] = adminToken
        }
        return variables.merging(more) { $1 }
    }

    /// Runs `mortise serve` while `body` runs, and kills the server afterwards unless it has ended.
    @discardableResult
    func serve<Value: Sendable>(
        _ flags: [String] = [],
        _ body: (RunningProgram) async throws -> Value
    ) async throws -> Value {
        try await RunningProgram.with(["serve"] + flags, serveVariables(), in: folder, body).value
    }

    // MARK: Requests

    /// The answer of a server.
    struct Answer: Sendable, CustomStringConvertible {
        let status: UInt
        let body: JSONValue
        let retryAfter: String?
        var description: String { "\(status) \(body["code"]?.string ?? "")" }
    }

    /// Sends a request as the admin of the organization `default`.
    func call(
        _ method: String,
        _ path: String,
        _ body: JSONValue? = nil,
        port: Int,
        key: String? = nil,
        token: String? = nil,
        headers: [(String, String)] = []
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = HTTPMethod(rawValue: method)
        request.headers.add(name: "Authorization", value: "Bearer \(token ?? adminToken)")
        request.headers.add(contentsOf: HTTPHeaders(headers))
        if let key { request.headers.add(name: "Idempotency-Key", value: key) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body.text))
        }
        let (response, buffer) = try await waiting(for: "an answer to \(method) \(path)") {
            let response = try await client.execute(request, timeout: .hours(1))
            return (response, try await response.body.collect(upTo: 1 << 20))
        }
        let json =
            buffer.readableBytes == 0
            ? .null
            : try JSONValue(
                parsing: Array(buffer.readableBytesView),
                limits: JSONLimits(maximumBytes: 1 << 20)
            )
        return Answer(
            status: response.status.code,
            body: json,
            retryAfter: response.headers.first(name: "Retry-After")
        )
    }

    /// Asks a server if it is ready.
    func readiness(port: Int) async throws -> (status: UInt, text: String) {
        try await waiting(for: "an answer about the readiness") {
            let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/readyz")
            let response = try await client.execute(request, timeout: .hours(1))
            return (response.status.code, String(buffer: try await response.body.collect(upTo: 65_536)))
        }
    }

    /// A service key and its token.
    struct IssuedKey: Sendable {
        let path: String
        let token: String
    }

    /// Creates a service key of the default workspace.
    func makeKey(_ name: String, _ settings: JSONObject = [:], port: Int) async throws -> IssuedKey {
        var body = settings
        body["name"] = .string(name)
        let answer = try await call("POST", Self.keys, .object(body), port: port)
        let id = try #require(answer.body["key"]?["id"]?.string, "\(answer)")
        return IssuedKey(path: "\(Self.keys)/\(id)", token: try #require(answer.body["token"]?.string))
    }

    /// The path of the service keys of the default workspace.
    static let keys = "/v1/workspaces/default/service-keys"

    /// Verifies a token and returns the code of the verdict.
    func verdict(_ token: String, port: Int) async throws -> String? {
        try await call("POST", "/v1/verify", ["token": .string(token)], port: port).body["code"]?.string
    }

    // MARK: Databases

    /// Runs `body` with a connection to a database as the superuser.
    func withConnection<T>(
        _ database: String = "mortise",
        _ body: (PostgresConnection) async throws -> T
    ) async throws -> T {
        try await PostgresConnection.with(
            server.configuration(database: database),
            reactor: try TestReactor.shared,
            logger: Logger(label: "test.sql", factory: { _ in SwiftLogNoOpLogHandler() }),
            body
        )
    }

    /// Returns the first column of the rows of a query, as text.
    func texts(_ sql: String, in database: String = "mortise") async throws -> [String] {
        try await withConnection(database) { connection in
            try await connection.query(Statement(sql, prepared: false)).map { try $0.decode(0, as: String.self) }
        }
    }

    /// Returns true if a query returns a row.
    ///
    /// A missing database or table counts as no row.
    func finds(_ sql: String, in database: String = "mortise") async throws -> Bool {
        do {
            return try await withConnection(database) { connection in
                try await !connection.query(Statement(sql, prepared: false)).isEmpty
            }
        } catch let error as PostgresError where error.sqlState != nil {
            return false
        }
    }
}
