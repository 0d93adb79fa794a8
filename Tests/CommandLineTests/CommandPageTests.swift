import Glibc
import JSON
import TestSupport
import Testing

/// The page of commands in the documentation.
@Suite(.hangLimit) struct CommandPageTests {
    private static let file =
        #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined() + "/docs/commands.md"

    @Test func `docs/commands.md is the help of every command`() async throws {
        let outcome = try await Program.run(["--experimental-dump-help"])
        try #require(outcome.code == 0)
        let limits = JSONLimits(maximumBytes: 1 << 22)
        let page = CommandPage(try JSONValue(parsing: Array(outcome.output.utf8), limits: limits)).text
        #expect(page.contains("## mortise key create\n"))
        if getenv("MORTISE_RECORD") != nil { TemporaryFolder.write(page, to: Self.file) }
        let file = try #require(TemporaryFolder.text(Self.file))
        let pairs = zip(page.split(separator: "\n"), file.split(separator: "\n"))
        if let (new, old) = pairs.first(where: { $0 != $1 }) {
            Issue.record("The help says:\n\(new)\nThe page says:\n\(old)\nMORTISE_RECORD=1 updates the page.")
        }
        #expect(page.utf8.count == file.utf8.count)
    }
}
