import CivilTime
import FoundationEssentials
import JSON
import MortiseClient
import NIOCore
import NIOHTTP1

/// Examines a running server from outside, without a credential.
struct ServerCheckup {
    let url: ServerURL
    private let client: ServerClient

    /// A larger difference between the clocks, in seconds, is a problem for expiry times and the audit log.
    private static let toleratedSkew = 5.0

    init(url: ServerURL, timeout: Duration, authorities: String?) throws(CommandFailure) {
        self.url = url
        client = try ServerClient(url, credential: nil, timeout: timeout, authorities: authorities)
    }

    /// Examines liveness, readiness, version, clock and encryption.
    ///
    /// - Returns: A finding for each.
    /// - Throws: `CommandFailure` of kind `unreachable` if no Mortise answers.
    func run() async throws -> [Finding] {
        let sent = Date()
        let health = try await read { client throws(MortiseError) in try await client.health() }
        let middle = sent.addingTimeInterval(Date().timeIntervalSince(sent) / 2)
        guard health.status == 200 else {
            throw CommandFailure(
                .unreachable,
                "\(url.text) answered /healthz with status \(health.status), which Mortise does not do.",
                details: [CommandFailure.wrongServerAdvice]
            )
        }
        var findings = [Finding(.fine, "A server answers at \(url.text).")]
        findings += try await readiness()
        let document = try await read { client throws(MortiseError) in try await client.openAPIDocument() }
        findings.append(version(document))
        findings.append(clock(health, at: middle))
        findings.append(encryption)
        return findings
    }

    /// Examines readiness alone.
    ///
    /// - Throws: `CommandFailure` of kind `unreachable` if no Mortise answers.
    func readiness() async throws -> [Finding] {
        let answer = try await read { client throws(MortiseError) in try await client.readiness() }
        // The body has one reason per line. Anything longer is cut.
        let reasons = String(buffer: answer.body).split(separator: "\n").prefix(20).map { String($0.prefix(500)) }
        switch answer.status {
        case 200:
            return [Finding(.fine, "The server is ready.")]
                + reasons.dropFirst()
                .map { Finding(.warning, "The server is ready, with a limit: \($0)", remedy: Self.logAdvice) }
        case 503:
            guard !reasons.isEmpty else {
                return [Finding(.problem, "The server is not ready and gives no reason.", remedy: Self.logAdvice)]
            }
            return reasons.map { Finding(.problem, "The server is not ready: \($0)", remedy: Self.logAdvice) }
        default:
            return [
                Finding(
                    .problem,
                    "The server answers /readyz with status \(answer.status), which Mortise does not do.",
                    remedy: CommandFailure.wrongServerAdvice
                )
            ]
        }
    }

    private static let logAdvice = "Run `mortise doctor` on the machine of the server, and read the server's log."

    private func read(
        _ call: @escaping @Sendable (Mortise) async throws(MortiseError) -> Answer
    ) async throws(CommandFailure) -> Answer {
        try await client.answer(to: Request(call)).value
    }

    private func version(_ answer: Answer) -> Finding {
        guard let version = answer.json?["info"]?["version"]?.string else {
            return Finding(
                .warning,
                "The server does not tell its version.",
                remedy: """
                    Is it a Mortise server? If so, /openapi.json is kept back by a proxy, or by the setting public_operations.
                    """
            )
        }
        if version == Version.current {
            return Finding(.fine, "The server and this program have the same version, \(version).")
        }
        return Finding(
            .warning,
            "The server has version \(version), and this program has version \(Version.current).",
            remedy: "If the server refuses commands for no visible reason, use the program of the same version."
        )
    }

    private func clock(_ answer: Answer, at now: Date) -> Finding {
        let text = answer.headers.first(name: "date")
        guard let theirs = text.flatMap({ HTTPDate.seconds($0, now: Int(now.timeIntervalSince1970)) }) else {
            return Finding(.warning, "The server does not tell its time, so the clocks were not compared.")
        }
        // The header has whole seconds. On average it is half a second behind.
        let skew = Double(theirs) + 0.5 - now.timeIntervalSince1970
        guard abs(skew) > Self.toleratedSkew else {
            return Finding(.fine, "The server's clock agrees with this machine's clock.")
        }
        return Finding(
            .problem,
            """
            The server's clock is \(Int(abs(skew).rounded())) s \(skew > 0 ? "ahead of" : "behind") this machine's clock.
            """,
            remedy: "Synchronize both machines (NTP). Otherwise keys expire at another time than shown."
        )
    }

    private var encryption: Finding {
        if url.isEncrypted { return Finding(.fine, "The connection is encrypted.") }
        if url.isLocal {
            return Finding(.fine, "The connection is not encrypted, but it does not leave this machine.")
        }
        return Finding(
            .problem,
            "The connection is not encrypted. Tokens cross the network in plain text.",
            remedy: "Put a TLS proxy in front of the server and use https://."
        )
    }
}
