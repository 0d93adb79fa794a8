import HTTPTestSupport
import TestSupport
import Testing

/// The part of `mortise doctor` that looks at the sign-in of members.
@Suite(.hangLimit) struct SignInCheckupTests {
    private func doctor(_ reply: Reply, passwords: String) async throws -> Outcome {
        try await TemporaryFolder.with { folder in
            try await ScriptedServer.with { _ in
                reply
            } _: { server in
                try await Program.run(
                    ["doctor"],
                    environment: [
                        "MORTISE_DATA": "\(folder)/data", "MORTISE_OIDC_ISSUER": server.url,
                        "MORTISE_OIDC_CLIENT_ID": "mortise", "MORTISE_OIDC_CLIENT_SECRET": "hunter2hunter2",
                        "MORTISE_PASSWORDS": passwords,
                    ]
                )
            }
        }
    }

    // A provider that is down, or whose address is mistyped, locks members out, and nobody learns of it before somebody tries.
    @Test func `the doctor names a provider that cannot be used, and it is a problem without passwords`() async throws {
        for (passwords, code) in [("on", CInt(0)), ("off", 1)] {
            let outcome = try await doctor(.answer(404, "{}"), passwords: passwords)
            #expect(outcome.code == code, "\(outcome.everything)")
            #expect(outcome.output.contains("cannot be used, so members cannot sign in with it"))
            #expect(outcome.output.contains("openid-configuration answered 404"))
            #expect(outcome.output.contains("MORTISE_OIDC_ISSUER") && !outcome.everything.contains("hunter2"))
        }
    }
}
