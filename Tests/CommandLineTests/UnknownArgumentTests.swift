import TestSupport
import Testing

@Suite(.hangLimit) struct UnknownArgumentTests {
    @Test(arguments: [
        (["kye", "list"], "`mortise key`"), (["key", "lst"], "`mortise key list`"),
        (["workspce", "list"], "`mortise workspace`"),
        (["help", "kye"], "`mortise key`"), (["help", "key", "crate"], "`mortise key create`"),
        (["key", "list", "--operatr"], "--operator"), (["key", "list", "--organisation", "acme"], "--organization"),
        (["key", "list", "--operator", "--jsn"], "--json"), (["serve", "--log-levl", "info"], "--log-level"),
        (["key", "create", "CI", "--workspace", "w", "--show-tokn"], "--show-token"),
        (["verify", "--from", "-", "--scopes", "a:b"], "--scope"),
    ])
    func `a mistyped command or option gets a suggestion`(_ arguments: [String], _ suggestion: String) async throws {
        let outcome = try await Program.run(arguments, environment: ["MORTISE_TOKEN": "t"])
        #expect(outcome.code == 64)
        #expect(outcome.errors.contains("Did you mean \(suggestion)"), "\(outcome.errors)")
    }

    @Test func `a mistyped variable of a client command gets a suggestion`() async throws {
        let outcome = try await Program.run(
            ["whoami", "--url", "http://127.0.0.1:1"],
            environment: ["MORTISE_TOKEN": "t", "MORTISE_PROFIL": "acme"]
        )
        #expect(outcome.code == 3)
        #expect(
            outcome.errors.contains("MORTISE_PROFIL is not a setting")
                && outcome.errors.contains("Did you mean MORTISE_PROFILE?")
        )
    }
}
