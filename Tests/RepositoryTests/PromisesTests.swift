import Foundation
import Testing

/// docs/promises.md names the tests that hold each promise.
@Suite struct PromisesTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private struct Reference: Hashable {
        let file: String
        let test: String
    }

    /// Returns the references of the page: lines of the form "  - `Target/Suite`: the name of a test".
    private static func references(in page: String) -> [Reference] {
        page.matches(of: /(?m)^  - `([A-Za-z0-9]+\/[A-Za-z0-9]+)`: (.+)$/)
            .map { Reference(file: String($0.1), test: String($0.2)) }
    }

    /// Returns the scripts of the page: lines of the form "  - `scripts/name.sh`: the result".
    private static func scripts(in page: String) -> [String] {
        page.matches(of: /(?m)^  - `(scripts\/[a-z0-9-]+\.sh)`: .+$/).map { String($0.1) }
    }

    private static func page() throws -> String {
        try String(contentsOf: root.appending(path: "docs/promises.md"), encoding: .utf8)
    }

    @Test func `every test that a promise names exists`() throws {
        let references = Self.references(in: try Self.page())
        #expect(references.count > 40)
        for reference in references {
            let parts = reference.file.split(separator: "/").map(String.init)
            let files = try FileManager.default.subpathsOfDirectory(atPath: Self.root.path + "/Tests/" + parts[0])
                .filter { $0.hasSuffix("/" + parts[1] + ".swift") || $0 == parts[1] + ".swift" }
            let texts = try files.map {
                try String(contentsOf: Self.root.appending(path: "Tests/\(parts[0])/\($0)"), encoding: .utf8)
            }
            #expect(
                texts.contains { $0.contains("func `\(reference.test)`(") },
                "docs/promises.md names a test that is gone: \(reference.file): \(reference.test)"
            )
        }
    }

    @Test func `every script that a promise names exists`() throws {
        let scripts = Self.scripts(in: try Self.page())
        #expect(scripts.count >= 5)
        for script in scripts {
            let path = Self.root.appending(path: script).path
            #expect(FileManager.default.isExecutableFile(atPath: path), "docs/promises.md names \(script)")
        }
    }

    // The fault: a line of another form is not checked, and its test can go without anybody seeing it.
    @Test func `every line below a promise is a test or a script`() throws {
        let page = try Self.page()
        let lines = page.split(separator: "\n").filter { $0.hasPrefix("  - `") }
        #expect(Self.references(in: page).count + Self.scripts(in: page).count == lines.count)
    }

    @Test func `no empty line splits a list of promises`() throws {
        let lines = try Self.page().split(separator: "\n", omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated().dropFirst().dropLast() where line.isEmpty {
            let isSplit = lines[number - 1].hasPrefix("  - ") && lines[number + 1].hasPrefix("- ")
            #expect(!isSplit, "docs/promises.md:\(number + 1)")
        }
    }

    @Test func `every promise names at least one test`() throws {
        let lines = try Self.page().split(separator: "\n", omittingEmptySubsequences: false)
        for (line, next) in zip(lines, lines.dropFirst()) where line.hasPrefix("- ") {
            #expect(next.hasPrefix("  - `"), "a promise without a test: \(line)")
        }
    }

    @Test func `the changelog and the page of promises say nothing twice`() throws {
        for path in ["CHANGELOG.md", "docs/promises.md"] {
            let text = try String(contentsOf: Self.root.appending(path: path), encoding: .utf8)
            let points = text.split(separator: "\n").filter { $0.hasPrefix("- ") }
            let twice = Dictionary(grouping: points) { $0 }.filter { $0.value.count > 1 }.keys.sorted()
            #expect(points.count > 20 && twice.isEmpty, "\(path) says twice: \(twice)")
        }
    }
}
