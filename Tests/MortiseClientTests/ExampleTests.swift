import Glibc
import Testing

/// The examples in the documentation of the client are compiled: each stands in Examples/ too, word for word.
@Suite struct ExampleTests {
    private static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()

    @Test func `every example of the documentation is compiled`() throws {
        let compiled = try Self.texts(in: "\(Self.root)/Tests/MortiseClientTests/Examples").joined(separator: "\n")
        let lines = compiled.split(separator: "\n").map(Self.trimmed).filter { !$0.isEmpty }
        let all = "\n" + lines.joined(separator: "\n") + "\n"
        let sources = try Self.texts(in: "\(Self.root)/Sources/MortiseClient")
        let examples = sources.flatMap(PublicSurface.examples)
        #expect(examples.count > 100)
        for example in examples { #expect(all.contains("\n\(example)\n"), "\(example)") }
    }

    @Test func `what can be called or made has an example`() throws {
        for text in try Self.texts(in: "\(Self.root)/Sources/MortiseClient") {
            var comment: [String] = []
            for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(Self.trimmed) {
                if line.hasPrefix("///") {
                    comment.append(line)
                } else if !line.hasPrefix("@") {
                    let words = line.split(separator: " ")
                    let isCallable = words.first == "public" && words.dropFirst().contains { Self.isCallable($0) }
                    // What a protocol of the standard library asks for needs no example of its own.
                    let isRequirement = Self.requirements.contains { line.contains($0) }
                    if isCallable && !isRequirement {
                        #expect(comment.contains("/// ```swift"), "\(line)")
                    }
                    comment = []
                }
            }
        }
    }

    @Test func `what can be read, set or matched is used in an example of its type`() throws {
        let types = PublicSurface(try Self.texts(in: "\(Self.root)/Sources/MortiseClient")).types
        #expect(types.values.reduce(0) { $0 + $1.members.count } > 300)
        for (name, type) in types {
            let ownName = name.split(separator: ".").last ?? ""
            for member in type.members {
                #expect(member.isDocumented, "\(name).\(member.name)")
                #expect(type.shows(member, of: ownName), "\(name).\(member.name)")
            }
        }
    }

    private static func isCallable(_ word: Substring) -> Bool {
        ["func", "struct", "enum", "typealias"].contains(word)
            || word.hasPrefix("init(") && !word.hasPrefix("init(rawValue")
    }

    private static let requirements = [
        "Literal", "AsyncIterator", "mutating func next", "init(rawValue:", "public static let",
        "typealias Failure", "typealias Element",
    ]

    private static func trimmed(_ line: some StringProtocol) -> String {
        String(line.drop { $0 == " " })
    }

    private static func texts(in folder: String) throws -> [String] {
        let directory = try #require(opendir(folder))
        defer { closedir(directory) }
        var texts: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            if name.hasSuffix(".swift") {
                texts.append(try text(of: "\(folder)/\(name)"))
            } else {
                texts += try Self.texts(in: "\(folder)/\(name)")
            }
        }
        return texts
    }

    private static func text(of path: String) throws -> String {
        let file = try #require(fopen(path, "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, file), count > 0 { bytes += buffer[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }
}
