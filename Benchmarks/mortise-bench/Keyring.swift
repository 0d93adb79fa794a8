import Foundation
import Keys
import Logging
import Postgres

/// Fills a workspace with keys that have two secrets each: one of a real token, and one whose digest is a number, for `pgbench`.
enum Keyring {
    /// The number of tokens that `wrk` draws from, beyond which a run would measure Lua's memory.
    private static let sample = 100_000

    static func fill(
        _ installation: Installation,
        _ ref: WorkspaceRef,
        _ secrets: SecretsFile,
        _ options: BenchOptions
    ) async throws {
        let reactor = try Reactor(name: "bench-fill")
        let connection = try await PostgresConnection.connect(
            try PostgresConfiguration(installation.workspaceConnection),
            reactor: reactor,
            logger: Logger(label: "bench")
        )
        let start = ContinuousClock.now
        let (keys, digests, tokens) = Self.lines(ref, secrets, options.keys)
        try tokens.joined(separator: "\n").write(toFile: installation.tokensFile, atomically: true, encoding: .utf8)
        try await connection.copyIn(
            "COPY auth.service_keys (id, kind, name, unique_name, mode, scopes, created_by) FROM STDIN",
            Self.chunks(keys),
            deadline: .seconds(120)
        )
        try await connection.copyIn(
            "COPY auth.key_secrets (id, key_id, digest, pepper_id, prefix) FROM STDIN",
            Self.chunks(digests),
            deadline: .seconds(120)
        )
        try await connection.script("VACUUM ANALYZE auth.service_keys", deadline: .seconds(120))
        try await connection.script("VACUUM ANALYZE auth.key_secrets", deadline: .seconds(120))
        await connection.close()
        await reactor.shutdown()
        Report.line("filled in \(ContinuousClock.now - start)")
    }

    private static func lines(_ ref: WorkspaceRef, _ secrets: SecretsFile, _ count: Int) -> (
        [String], [String], [String]
    ) {
        var generator = SystemRandomNumberGenerator()
        var (keys, digests, tokens) = ([String](), [String](), [String]())
        let sampling = max(1, count / Self.sample)
        let now = Timestamp(microsecondsSinceUnixEpoch: Int64(Date().timeIntervalSince1970 * 1_000_000))
        func id() -> String { UUIDv7.text(of: UUIDv7.make(at: now, using: &generator)) }
        for n in 1...count {
            let token = Token.make(prefix: .service, mode: .live, workspace: ref, using: &generator)
            let key = id()
            let digest = secrets.peppers.digest(of: token)
            keys.append("\(key)\tservice\tkey \(n)\tkey \(n)\tlive\t{read:*}\tbench")
            digests.append(
                "\(id())\t\(key)\t\\\\x\(Self.hexadecimal(digest.digest.bytes))\t\(digest.pepperID)\t\(token.parsed.displayPrefix)"
            )
            let number = String(n, radix: 16)
            let padded = String(repeating: "0", count: 64 - number.count) + number
            digests.append("\(id())\t\(key)\t\\\\x\(padded)\t\(digest.pepperID)\tnumber")
            if n.isMultiple(of: sampling) { tokens.append(token.reveal()) }
        }
        return (keys, digests, tokens)
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    private static func chunks(_ lines: [String]) -> AsyncStream<[UInt8]> {
        AsyncStream { continuation in
            for start in stride(from: 0, to: lines.count, by: 2000) {
                let end = min(start + 2000, lines.count)
                continuation.yield(Array((lines[start..<end].joined(separator: "\n") + "\n").utf8))
            }
            continuation.finish()
        }
    }
}
