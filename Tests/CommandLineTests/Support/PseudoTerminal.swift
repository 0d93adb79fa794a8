import HTTPTestSupport
import Subprocess

/// Runs the program on a terminal, like a person.
enum PseudoTerminal {
    /// Runs the program on its own terminal (util-linux `script`) and answers each question when it appears.
    ///
    /// - Returns: The exit code, and everything that the program printed and the terminal echoed.
    static func run(
        _ arguments: [String],
        server: ScriptedServer? = nil,
        environment: [String: String] = [:],
        answers: [(question: String, answer: String)]
    ) async throws -> (code: CInt, screen: String) {
        let command = ([Program.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        let result = try await Subprocess.run(
            .name("script"),
            arguments: ["-qec", command, "/dev/null"],
            environment: Program.variables(server, environment),
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { execution in
            // Subprocess traps if the writer is not finished, even if this closure throws.
            let screen: Result<String, any Error>
            do {
                screen = .success(try await answer(answers, execution.standardOutput, execution.standardInputWriter))
            } catch {
                screen = .failure(error)
            }
            try await execution.standardInputWriter.finish()
            return try screen.get()
        }
        return (Program.code(result.terminationStatus), result.closureResult)
    }

    private static func answer(
        _ answers: [(question: String, answer: String)],
        _ output: SubprocessOutputSequence,
        _ input: StandardInputWriter
    ) async throws -> String {
        var screen = ""
        var waiting = answers[...]
        var answered = 0
        for try await chunk in output {
            screen += chunk.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            let rest = screen.dropFirst(answered)
            if let next = waiting.first, let range = rest.firstRange(of: next.question) {
                answered = screen.distance(from: screen.startIndex, to: range.upperBound)
                waiting.removeFirst()
                _ = try await input.write(next.answer)
            }
        }
        return screen
    }
}
