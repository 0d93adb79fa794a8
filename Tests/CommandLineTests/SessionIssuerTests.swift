import HTTPTestSupport
import TestSupport
import Testing

@Suite(.hangLimit) struct SessionIssuerTests {
    private static let stored = """
        {"id":"i-2","organization_id":"o-1","issuer":"https://sso.example.com","jwks_url":null,"jwks_file":null,\
        "has_inline_jwks":true,"algorithms":["EdDSA"],"authorized_parties":[],"read_roles":[],"manage_roles":[],\
        "created_at":"2029-01-31T12:34:56Z"}
        """

    private static func add(_ more: [String], at server: ScriptedServer, input: String = "") async throws -> Outcome {
        try await Program.run(
            ["session-issuer", "add", "https://clerk.example.com", "--organization", "acme"] + more,
            server: server,
            environment: ["MORTISE_TOKEN": Program.credential],
            input: input
        )
    }

    @Test func `session issuers are a table with the locations of their keys, their parties and their roles`()
        async throws
    {
        try await ScriptedServer.with({ _ in Sample.list([Sample.issuer, Self.stored]) }) { server in
            let outcome = try await Program.call("session-issuer", "list", "--organization", "acme", at: server)
            #expect(
                outcome.output == """
                    ISSUER                     KEYS                            PARTIES                  READ             MANAGE
                    https://clerk.example.com  https://clerk.example.com/jwks  https://app.example.com  member, billing  admin
                    https://sso.example.com    stored                          -                        -                -

                    """
            )
            let wide = try await Program.call("session-issuer", "list", "--organization", "acme", "--wide", at: server)
            for text in ["i-1 ", "RS256", "2029-01-31 12:34:56"] { #expect(wide.output.contains(text)) }
            let json = try await Program.call("session-issuer", "list", "--organization", "acme", "--json", at: server)
            #expect(json.output == "[\(Sample.issuer),\(Self.stored)]\n")
            #expect(server.requests.map(\.method) == ["GET", "GET", "GET"])
            #expect(Set(server.requests.map(\.uri)) == ["/v1/organizations/acme/session-issuers?limit=50"])
        }
    }

    @Test func `absent options are not sent, and the answer is shown`() async throws {
        try await ScriptedServer.with({ _ in .answer(201, Sample.issuer) }) { server in
            let outcome = try await Self.add(["--jwks-url", "https://clerk.example.com/jwks"], at: server)
            #expect(outcome.code == 0)
            #expect(outcome.output.contains("issuer              https://clerk.example.com\n"))
            #expect(outcome.output.contains("read roles          member, billing\n"))
            #expect(server.requests.map { "\($0.method) \($0.uri)" } == ["POST /v1/organizations/acme/session-issuers"])
            let body = #"{"issuer":"https://clerk.example.com","jwks_url":"https://clerk.example.com/jwks"}"#
            #expect(server.requests.map(\.body) == [body])
        }
    }

    @Test func `every option reaches the server, and --json prints the answer`() async throws {
        try await ScriptedServer.with({ _ in .answer(201, Sample.issuer) }) { server in
            let outcome = try await Self.add(
                [
                    "--jwks-file", "/etc/jwks.json", "--algorithm", "ES256", "--algorithm", "EdDSA", "--json",
                    "--authorized-party", "https://app.example.com", "--audience", "api", "--read-role", "member",
                    "--manage-role", "admin", "--manage-role", "owner",
                ],
                at: server
            )
            #expect(outcome.output == Sample.issuer + "\n")
            _ = try await Self.add(["--jwks-file", "/f", "--no-manage-role", "--quiet"], at: server)
            #expect(
                server.requests.map(\.body) == [
                    #"{"issuer":"https://clerk.example.com","jwks_file":"/etc/jwks.json","algorithms":["ES256","EdDSA"],"#
                        + #""authorized_parties":["https://app.example.com"],"audiences":["api"],"read_roles":["member"],"#
                        + #""manage_roles":["admin","owner"]}"#,
                    #"{"issuer":"https://clerk.example.com","jwks_file":"/f","manage_roles":[]}"#,
                ]
            )
        }
    }

    @Test func `a key set comes from a local file or from standard input`() async throws {
        let set = #"{"keys":[{"kid":"1","kty":"OKP"}]}"#
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with({ _ in .answer(201, Self.stored) }) { server in
                TemporaryFolder.write(set + "\n", to: "\(folder)/jwks.json")
                let outcomes = [
                    try await Self.add(["--jwks", "\(folder)/jwks.json"], at: server),
                    try await Self.add(["--jwks", "-"], at: server, input: set),
                ]
                #expect(outcomes.map(\.code) == [0, 0])
                let body = #"{"issuer":"https://clerk.example.com","jwks":\#(set)}"#
                #expect(server.requests.map(\.body) == [body, body])
            }
        }
    }

    // The accident: the user names the file with the private key instead of the public key.
    @Test(arguments: [
        (#"{"keys":[{"kty":"OKP","kid":"1"},{"kty":"OKP","d":"hunter2"}]}"#, "private key"),
        (#"{"keys":[{"kty":"oct","k":"hunter2"}]}"#, "private key"),
        (#"{"kty":"OKP","d":"hunter2"}"#, "not a JSON Web Key Set"), ("hunter2", "not valid JSON"),
    ])
    func `a private key, or a file that is not a key set, is not sent`(_ text: String, _ reason: String) async throws {
        try await ScriptedServer.with({ _ in .answer(201, Self.stored) }) { server in
            let outcome = try await Self.add(["--jwks", "-"], at: server, input: text)
            #expect(outcome.code == 64)
            #expect(outcome.errors.contains(reason), "\(outcome.errors)")
            #expect(!outcome.everything.contains("hunter2"))
            #expect(server.requests.isEmpty)
        }
    }

    @Test func `a removal prints a confirmation`() async throws {
        try await ScriptedServer.with({ _ in .answer(204, "") }) { server in
            let command = ["session-issuer", "remove", Sample.id, "--organization", "acme", "--yes"]
            let outcome = try await Program.run(command, server: server, environment: ["MORTISE_TOKEN": "t"])
            #expect(outcome.output == "Removed the session issuer \(Sample.id).\n")
            let requests = server.requests.map { "\($0.method) \($0.uri)" }
            #expect(requests == ["DELETE /v1/organizations/acme/session-issuers/\(Sample.id)"])
        }
    }
}
