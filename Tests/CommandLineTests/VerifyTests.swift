import HTTPTestSupport
import JSON
import TestSupport
import Testing

@Suite(.hangLimit) struct VerifyTests {
    static let valid = Sample.verdict("valid")
    static let revoked = Sample.verdict("revoked")

    @Test func `the exit code reports the verdict`() async throws {
        for (answer, code) in [(VerifyTests.valid, CInt(0)), (VerifyTests.revoked, 4)] {
            try await ScriptedServer.with({ _ in .json(answer) }) { server in
                for format in [[], ["--json"], ["--quiet"]] {
                    let outcome = try await Program.run(
                        ["verify"] + format,
                        server: server,
                        environment: ["MORTISE_TOKEN": "t"],
                        input: Sample.token + "\n"
                    )
                    #expect(outcome.code == code)
                    #expect(outcome.errors.isEmpty)
                    #expect(!outcome.output.contains(Sample.token))
                    switch format {
                    case ["--json"]: #expect(outcome.output == answer + "\n")
                    case ["--quiet"]: #expect(outcome.output.isEmpty)
                    default: #expect(outcome.output.hasPrefix(code == 0 ? "valid: " : "revoked: "))
                    }
                }
            }
        }
    }

    @Test func `the conditions reach the server with the token`() async throws {
        try await ScriptedServer.with({ _ in .json(VerifyTests.valid) }) { server in
            _ = try await Program.call(
                "verify",
                "--scope",
                "a:b",
                "--address",
                "::1",
                "--mode",
                "live",
                "--namespace",
                "n",
                at: server,
                input: Sample.token
            )
            // The key is read afterwards, for the end of a valid token.
            #expect(server.requests.first?.uri == "/v1/verify")
            #expect(
                server.requests.first?.body
                    == #"{"token":"\#(Sample.token)","scopes":["a:b"],"address":"::1","mode":"live","namespace":"n"}"#
            )
        }
    }

    @Test func `a refusal and a malformed verdict have their own exit codes`() async throws {
        try await ScriptedServer.with({ _ in Sample.problem(403, "forbidden", "keys:verify is missing.") }) { server in
            let outcome = try await Program.call("verify", at: server, input: Sample.token)
            #expect(outcome.code == 1)
        }
        try await ScriptedServer.with({ _ in .json("{}") }) { server in
            let outcome = try await Program.call("verify", at: server, input: Sample.token)
            #expect(outcome.code == 3)
        }
    }

    @Test func `standard input cannot hold both the credential and the token`() async throws {
        try await ScriptedServer.with({ _ in .json(VerifyTests.valid) }) { server in
            for more in [[], ["--from", "-"], ["--batch", "-"]] {
                let outcome = try await Program.run(
                    ["verify", "--token-file", "-"] + more,
                    server: server,
                    input: Sample.token
                )
                #expect(outcome.code == 64)
            }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `a terminal prompt asks for the token and does not show it`() async throws {
        try await ScriptedServer.with({ _ in .json(VerifyTests.valid) }) { server in
            let (code, screen) = try await PseudoTerminal.run(
                ["verify"],
                server: server,
                environment: ["MORTISE_TOKEN": "t"],
                answers: [("Token to verify: ", Sample.token + "\r")]
            )
            #expect(code == 0)
            #expect(server.requests.count { $0.uri == "/v1/verify" } == 1)
            #expect(screen.contains("The token is valid.") && !screen.contains("ZZZZ"))
        }
    }

    @Test func `a batch is sent 100 lines at a time, and its verdicts are in the order of the file`() async throws {
        try await ScriptedServer.with({ request in
            let asked = (try? JSONValue(parsing: Array(request.body.utf8), limits: JSONLimits(maximumBytes: 1 << 20)))?[
                "requests"
            ]?
            .array
            let verdicts = (asked ?? [])
                .map { Sample.verdict("valid", key: $0["token"]?.string ?? "") }
            return .json(#"{"verdicts":[\#(verdicts.joined(separator: ","))]}"#)
        }) { server in
            let lines = (1...250).map { $0 == 7 ? #"{"token":"t7","scopes":["x:y"]}"# : "t\($0)" }
            let outcome = try await Program.call(
                "verify",
                "--batch",
                "-",
                "--json",
                "--mode",
                "live",
                at: server,
                input: lines.joined(separator: "\n")
            )
            #expect(outcome.code == 0)
            #expect(server.requests.map(\.uri) == Array(repeating: "/v1/verify/batch", count: 3))
            let ids = outcome.output.split(separator: "\n")
                .map { try? JSONValue(parsing: Array($0.utf8))["key"]?["id"]?.string }
            #expect(ids == (1...250).map { "t\($0)" })
            #expect(server.requests.first?.body.contains(#"{"token":"t7","scopes":["x:y"],"mode":"live"}"#) == true)
        }
    }

    @Test func `one refused token makes a batch exit with 4, and the table has its line number`() async throws {
        try await ScriptedServer.with({ _ in .json(#"{"verdicts":[\#(VerifyTests.valid),\#(VerifyTests.revoked)]}"#) })
        { server in
            let outcome = try await Program.call("verify", "--batch", "-", at: server, input: "a\n\nb\n")
            #expect(outcome.code == 4)
            #expect(outcome.output.contains("3     revoked"))
        }
    }

    // The attack: an error message contains a faulty line of a file of tokens, and a log keeps the message.
    @Test(arguments: [
        "good\nsecret with blanks", #"{"token":"secret""#, #"{"tokens":"secret"}"#,
        #"{"token":"t","secret":1}"#, #"{"token":"t","mode":["secret"]}"#, #"{"token":"t","scopes":"secret"}"#,
        #"{"token":"t","scopes":["secret",1]}"#,
    ])
    func `a fault in any line refuses the whole batch, and the error contains no input`(_ file: String) async throws {
        try await ScriptedServer.with({ _ in .json("{}") }) { server in
            let outcome = try await Program.call("verify", "--batch", "-", at: server, input: file)
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains("Line ") && !outcome.errors.contains("secret"))
            #expect(server.requests.isEmpty)
        }
    }
}
