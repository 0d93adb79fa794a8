import FoundationEssentials
import Keys
import TestSupport
import Testing

@Suite struct SecrecyTests {
    // A program logs a value, puts it into an error, or dumps its state after a crash. None of these may show a secret.
    @Test func `no secret prints`() throws {
        var generator = SplitMix64(seed: 11)
        let id = try #require(SecretID("p1"))
        let file = try #require(SecretsFile.random(id: id, using: &generator))
        let token = generator.token()
        let pepper = file.peppers.current
        let peppers = file.peppers.peppers(of: token.parsed.workspaceRef)
        let digest = peppers.digest(of: token).digest
        let password = file.roles[0].password(role: "mortise", clusterID: "c1")
        let body = TokenBody.random(using: &generator)
        let fileWords = file.reveal().split(whereSeparator: \.isWhitespace).map(String.init).filter { $0.count > 40 }
        let hidden =
            fileWords + [token.reveal(), password.reveal()] + fileWords.map { Self.decimal(ofHex: $0) }
            + [Self.decimal(digest.bytes)]
        #expect(fileWords.count == 4)
        let values: [any Sendable] = [
            token, digest, pepper, peppers, file.peppers, file, file.idempotency[0], file.roles[0], file.sessions[0],
            password,
            body,
            PepperedDigest(pepperID: id, digest: digest), Optional(token) as any Sendable, [token], ["k": digest],
        ]
        for value in values {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(describing: value), String(reflecting: value), dumped] {
                #expect(text.contains("redacted"))
                for secret in hidden { #expect(!text.contains(secret)) }
            }
        }
        #expect("\(token)" == "Token(redacted)")
        #expect("\(digest)" == "Digest(redacted)")
        #expect("\(pepper)" == "Pepper(redacted)")
        #expect("\(file)" == "SecretsFile(redacted)")
    }

    private static func decimal(ofHex hex: String) -> String {
        let digits = hex.compactMap(\.hexDigitValue)
        return decimal(stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) })
    }

    private static func decimal(_ bytes: [UInt8]) -> String { bytes.map(String.init).joined(separator: ", ") }

    @Test func `redaction masks a token at every position`() {
        forEachSeed(3_000) { seed, generator in
            let token = generator.token()
            let around = ["", " ", "\"", "x", "/v1/", "Bearer ", "é", "_", "_live_", "mks_live_", "_test_live", "%20"]
            let (before, after) = (generator.pick(around), generator.pick(["", " ", "\"", "&a=b", "Z9", "é", "_x"]))
            let text = before + token.reveal() + after + " and " + generator.token().reveal()
            let masked = Redaction.redact(text)
            #expect(!masked.contains(token.reveal().suffix(46)), "seed \(seed)")
            #expect(masked.contains("_****"), "seed \(seed)")
            #expect(masked.utf8.count < 60 + before.utf8.count + after.utf8.count, "seed \(seed): \(masked.utf8.count)")
        }
    }

    // A log line was cut to a length. Half a token is still too much.
    @Test func `a token without its end is masked, and a display prefix is not`() {
        var generator = SplitMix64(seed: 2)
        for _ in 0..<200 {
            let token = generator.token()
            let shown = token.parsed.displayPrefix.text
            #expect(Redaction.redact("key \(shown) made") == "key \(shown) made")
            let start = token.parsed.prefix.text.count + 6
            let cut = String(token.reveal().prefix(start + 10))
            #expect(Redaction.redact(cut) == cut.prefix(start) + "****")
        }
        #expect(Redaction.redact("mks_live_0123456789abc, ak_test_0123456789") == "mks_live_****, ak_test_****")
    }

    // Attack: a reader of the log signs in with a session token that a user's client put into the wrong place.
    @Test func `a JWT is masked at every position`() {
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2lnbmF0dXJlLW9mLWl0"
        for before in [
            "", "Bearer ", "/v1/", "%20", "session_", "x", "eyJ", "eyJeyJ ", "mks_live_", "eyJ.", "a.b.eyJa.",
        ] {
            for after in ["", "/", " eyJ", "\""] {
                let masked = Redaction.redact(before + jwt + after)
                #expect(masked.hasSuffix("****\(after)"), "\(masked)")
                #expect(!masked.contains("J1c2VyXzEifQ") && !masked.contains("c2lnbmF0"), "\(masked)")
            }
        }
        #expect(Redaction.redact("\(jwt) and \(jwt)") == "eyJ**** and eyJ****")
        // The second half is missing.
        #expect(Redaction.redact(String(jwt.prefix(30))) == "eyJ****")
        let long = String(repeating: "eyJ", count: 300_000)
        #expect(Redaction.redact(long) == long)
    }

    @Test func `a text without tokens stays as it is`() {
        for text in [
            "", "_", "live_", "_live", "_live_", "a_live_show_tonight", "_live_test_", "_test__live_x", "héllo",
            "eyJ", "eyJ.", "eyJhbGciOiJIUzI1NiJ9", "journeyJournal-0123456789", "keyJob.2026-01-01",
        ] {
            #expect(Redaction.redact(text) == text)
        }
    }
}
