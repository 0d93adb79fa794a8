import Foundation
import SQLFiles
import Testing

@Suite struct SQLFilesTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "sql")

    private static let lines: [(folder: String, letter: Character, files: [SQLFile])] = [
        ("cluster", "f", SQLFiles.cluster), ("control", "c", SQLFiles.control), ("workspace", "w", SQLFiles.workspace),
    ]

    @Test func `the files in the program are the files of the folder, in order and byte for byte`() throws {
        for line in Self.lines {
            let folder = Self.folder.appending(path: line.folder)
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path()).sorted()
            #expect(names == line.files.map { "\($0.name).sql" })
            for file in line.files {
                #expect(try Data(contentsOf: folder.appending(path: "\(file.name).sql")) == Data(file.bytes))
            }
        }
    }

    // Files are applied in the order of their names. Gaps in the numbers are allowed.
    @Test func `the name of a file is the letter of its line, a rising number and words`() throws {
        for line in Self.lines {
            var last = 0
            for file in line.files {
                let parts = try #require(file.name.wholeMatch(of: /([a-z])(\d{4})_[a-z_]+/), "\(file.name)")
                #expect(String(parts.1) == "\(line.letter)")
                let number = try #require(Int(parts.2))
                #expect(number > last, "\(file.name)")
                last = number
            }
        }
    }

    // The migrator owns the transaction: a COMMIT in a file would keep the first half of a file whose second half
    // fails.
    @Test func `no file ends the transaction in which it runs`() throws {
        for file in Self.lines.flatMap(\.files) {
            for statement in String(decoding: file.bytes, as: UTF8.self).uppercased().split(separator: "\n") {
                #expect(!["BEGIN;", "COMMIT;", "ROLLBACK;", "END;"].contains(statement), "\(file.name)")
            }
        }
    }

    @Test func `every constraint has a name`() throws {
        for file in Self.lines.flatMap(\.files) {
            for line in String(decoding: file.bytes, as: UTF8.self).split(separator: "\n") {
                let text = line.trimmingCharacters(in: .whitespaces)
                if text.hasPrefix("--") { continue }
                let constrains = ["PRIMARY KEY", "UNIQUE (", "CHECK (", "REFERENCES", "FOREIGN KEY"]
                    .contains { text.contains($0) }
                let isNamed = text.hasPrefix("CONSTRAINT ") || text.hasPrefix("ADD CONSTRAINT ")
                #expect(!constrains || isNamed, "\(file.name): \(text)")
            }
        }
    }
}
