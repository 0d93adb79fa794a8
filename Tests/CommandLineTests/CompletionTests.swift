import Glibc
import Subprocess
import TestSupport
import Testing

@Suite(.hangLimit) struct CompletionTests {
    @Test(arguments: ["bash", "zsh", "fish"])
    func `the program writes a completion script that its shell can read`(_ shell: String) async throws {
        let script = try await Program.run(["--generate-completion-script", shell])
        #expect(script.code == 0)
        for text in ["session-issuer", "token-file", "restore"] { #expect(script.output.contains(text)) }
        guard ["/bin", "/usr/bin"].contains(where: { access("\($0)/\(shell)", X_OK) == 0 }) else { return }
        try await TemporaryFolder.with { folder in
            TemporaryFolder.write(script.output, to: "\(folder)/script")
            let check = try await Subprocess.run(
                .name(shell),
                arguments: ["-n", "\(folder)/script"],
                environment: Program.variables(nil, [:]),
                input: .none,
                output: .string(limit: 4096),
                error: .string(limit: 4096)
            )
            #expect(check.terminationStatus.isSuccess, "\(check.standardError)")
        }
    }
}
