import CivilTime
import FoundationEssentials
import JSON
import MortiseClient
import NIOCore
import NIOHTTP1

/// Examines a running server from outside, without a credential.
struct ServerCheckup {
    let url: ServerURL
    let timeout: Duration

    /// Beyond this, times of expiry and of the audit log mean something else to the server than to its users.
    private static let toleratedSkew = 5.0

    /// Asks everything.
    ///
    /// - Throws: `CommandFailure` of kind `unreachable` if no Mortise answers.
    func run() async throws -> [Finding] {
        let client = CommandClient(url, credential: nil, timeout: timeout)
        let sent = Date()
        let health = try await client.exchange(.get(["healthz"]))
        let middle = sent.addingTimeInterval(Date().timeIntervalSince(sent) / 2)
        guard health.status == 200 else { throw strange(health) }
        var findings = [Finding(.fine, "A server answers at \(url.text).")]
        findings += readiness(try await client.exchange(.get(["readyz"])))
        findings.append(version(try await client.exchange(.get(["openapi.json"]))))
        findings.append(clock(health, at: middle))
        findings.append(encryption)
        return findings
    }

    /// Asks only whether the server is ready.
    func readiness() async throws -> [Finding] {
        let client = CommandClient(url, credential: nil, timeout: timeout)
        return readiness(try await client.exchange(.get(["readyz"])))
    }

    private func strange(_ answer: Answer) -> CommandFailure {
        CommandFailure(
            .unreachable,
            "\(url.text) answered with status \(answer.status) where a Mortise says that it is alive.",
            details: ["Is --url right? Is a proxy in between that cannot reach Mortise?"]
        )
    }

    private func readiness(_ answer: Answer) -> [Finding] {
        if answer.status == 200 { return [Finding(.fine, "It is ready.")] }
        guard answer.status == 503 else {
            return [
                Finding(
                    .problem,
                    "It does not say whether it is ready, but answers with status \(answer.status).",
                    remedy: "Is --url right? Is a proxy in between?"
                )
            ]
        }
        // One reason a line; a page of anything else is cut.
        let reasons = String(buffer: answer.body).split(separator: "\n").prefix(20).map { String($0.prefix(500)) }
        guard !reasons.isEmpty else {
            return [Finding(.problem, "It is not ready and does not say why.", remedy: look)]
        }
        return reasons.map { Finding(.problem, "It is not ready: \($0)", remedy: look) }
    }

    private let look = "Run `mortise doctor` on the server's machine, and read its log."

    private func version(_ answer: Answer) -> Finding {
        guard let version = answer.json?["info"]?["version"]?.string else {
            return Finding(
                .warning,
                "It does not tell its version.",
                remedy: "Is it a Mortise, and does /openapi.json get through?"
            )
        }
        if version == Version.current {
            return Finding(.fine, "Its version is \(version), the same as this program's.")
        }
        return Finding(
            .warning,
            "Its version is \(version), this program's is \(Version.current).",
            remedy: "Use the program of the same version where commands are refused without a reason that makes sense."
        )
    }

    private func clock(_ answer: Answer, at now: Date) -> Finding {
        let text = answer.headers.first(name: "date")
        guard let theirs = text.flatMap({ HTTPDate.seconds($0, now: Int(now.timeIntervalSince1970)) }) else {
            return Finding(.warning, "It does not tell its time, so the clocks could not be compared.")
        }
        // The header has whole seconds: on average it is half a second behind.
        let skew = Double(theirs) + 0.5 - now.timeIntervalSince1970
        guard abs(skew) > ServerCheckup.toleratedSkew else { return Finding(.fine, "Its clock agrees with this one.") }
        return Finding(
            .problem,
            "Its clock is \(Int(abs(skew).rounded())) s \(skew > 0 ? "ahead of" : "behind") the one here.",
            remedy: "Synchronise both machines (NTP): keys would expire at another time than they say."
        )
    }

    private var encryption: Finding {
        if url.isEncrypted { return Finding(.fine, "The connection is encrypted.") }
        if url.isLocal { return Finding(.fine, "The connection is not encrypted, but does not leave this machine.") }
        return Finding(
            .problem,
            "The connection is not encrypted: tokens cross the network in the clear.",
            remedy: "Put TLS before it and use https://."
        )
    }
}
