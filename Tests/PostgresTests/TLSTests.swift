import FoundationEssentials
import Logging
import Postgres
import TestSupport
import Testing

/// TLS connections.
///
/// TLS itself is libpq's part: these tests check that its settings arrive, and that encrypted records lose no data.
@Suite(.hangLimit) struct TLSTests {
    /// Creates a certificate authority, and a certificate for `localhost` that the authority signs.
    private func makeCertificates(in folder: String) async throws {
        let subject = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
        for name in ["authority", "stranger"] {
            try await PlainServer.run(
                "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout \(folder)/\(name).key -out \(folder)/\(name).pem -subj /CN=\(name)"
            )
        }
        try await PlainServer.run(
            """
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout \(folder)/server.key -out \(folder)/server.pem \
            -CA \(folder)/authority.pem -CAkey \(folder)/authority.key \(subject)
            """
        )
    }

    private func connect(_ configuration: PostgresConfiguration) async throws -> PostgresConnection {
        try await PostgresConnection.connect(
            configuration,
            reactor: try TestReactor.shared,
            logger: LogCollector().logger
        )
    }

    // An attacker on the network could pretend to be the server. Only a certificate of the expected authority and name is trusted.
    @Test func `verify-full accepts the right authority and host name, and no others`() async throws {
        let folder = try await PlainServer.run("mktemp -d /tmp/tls-XXXXXX").trimmed
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await makeCertificates(in: folder)
        let server = try await PlainServer.start(
            listensOnTCP: true,
            hostRules: ["local all all trust", "hostssl all all 127.0.0.1/32 trust"],
            settings: ["ssl": "on", "ssl_cert_file": "server.pem", "ssl_key_file": "server.key"],
            files: [
                "server.pem": try String(contentsOfFile: "\(folder)/server.pem", encoding: .utf8),
                "server.key": try String(contentsOfFile: "\(folder)/server.key", encoding: .utf8),
            ]
        )
        try await server.use { server in
            let right = "host=localhost sslmode=verify-full sslrootcert=\(folder)/authority.pem"
            let connection = try await connect(server.configurationOverTCP(right))
            let isEncrypted = Statement("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            #expect(try await connection.query(isEncrypted)[0].decode(0, as: Bool.self))
            for wrong in [
                "host=localhost sslmode=verify-full sslrootcert=\(folder)/stranger.pem",
                "host=other.example sslmode=verify-full sslrootcert=\(folder)/authority.pem",
                "host=localhost sslmode=disable",
            ] {
                let error = await failure { try await connect(server.configurationOverTCP(wrong)) }
                #expect(error?.code == .connectFailed, "\(wrong)")
            }
            try await exchange(over: connection)
            try await cancel(on: connection)
        }
    }

    private func exchange(over connection: PostgresConnection) async throws {
        let text = String(repeating: "0123456789abcdef", count: 1 << 15)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<20 {
                group.addTask {
                    let rows = try await connection.query(
                        Statement("SELECT $1, repeat('x', 5000000)"),
                        [text],
                        deadline: .ample
                    )
                    #expect(try rows[0].decode(0, as: String.self) == text)
                }
            }
            try await group.waitForAll()
        }
        try await connection.script("CREATE TABLE t (a text)")
        let chunks = AsyncThrowingStream<[UInt8], any Error> { stream in
            for _ in 0..<50 { stream.yield([UInt8](repeating: UInt8(ascii: "y"), count: 100_000) + [10]) }
            stream.finish()
        }
        #expect(try await connection.copyIn("COPY t FROM STDIN", chunks) == 50)
    }

    private func cancel(on connection: PostgresConnection) async throws {
        let error = await failure {
            try await connection.query(Statement("SELECT pg_sleep(600)"), deadline: .milliseconds(100).onThisMachine)
        }
        #expect(error?.code == .deadlineExceeded)
        #expect(try await connection.number("SELECT 1::int8") == 1)
    }
}
