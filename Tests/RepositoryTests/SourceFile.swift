import FoundationEssentials

/// A Swift file of the package's sources.
struct SourceFile {
    /// The path from `Sources`: the target, then its folders and the file.
    let path: String
    /// The text without comments.
    let code: String

    /// The target that the file belongs to.
    var target: String { path.split(separator: "/").first.map(String.init) ?? "" }

    /// The folder inside the target.
    ///
    /// Empty for a file at the top of the target.
    var folder: String { path.split(separator: "/").dropFirst().dropLast().first.map(String.init) ?? "" }

    /// Reads all files below `Sources`.
    static func all() throws -> [SourceFile] {
        try texts(in: "Sources").map { SourceFile(path: $0.path, code: withoutComments($0.text)) }
    }

    /// Returns the text of a file of the repository.
    static func text(of path: String) throws -> String {
        try String(contentsOfFile: "\(root())/\(path)", encoding: .utf8)
    }

    /// The folder of the repository.
    private static func root(from file: String = #filePath) -> String {
        "/" + file.split(separator: "/").dropLast(3).joined(separator: "/")
    }

    /// Returns the Swift files below a folder of the repository, in the order of their paths.
    static func texts(in folder: String) throws -> [(path: String, text: String)] {
        let folder = "\(root())/\(folder)"
        let paths = try FileManager.default.subpathsOfDirectory(atPath: folder).filter { $0.hasSuffix(".swift") }
        return try paths.sorted().map { ($0, try String(contentsOfFile: "\(folder)/\($0)", encoding: .utf8)) }
    }

    /// Returns the names of the Markdown files in a folder of the repository, in their order.
    static func pages(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root())/\(folder)").filter { $0.hasSuffix(".md") }
            .sorted()
    }

    /// Removes the lines that are comments.
    private static func withoutComments(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.drop(while: { $0 == " " }).hasPrefix("//") }
            .joined(separator: "\n")
    }
}
