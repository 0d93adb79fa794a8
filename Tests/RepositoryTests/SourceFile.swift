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
    static func all(from file: String = #filePath) throws -> [SourceFile] {
        let root = file.split(separator: "/").dropLast(3).map(String.init).joined(separator: "/")
        let sources = "/\(root)/Sources"
        let paths = try FileManager.default.subpathsOfDirectory(atPath: sources).filter { $0.hasSuffix(".swift") }
        return try paths.sorted()
            .map { path in
                let text = try String(contentsOfFile: "\(sources)/\(path)", encoding: .utf8)
                return SourceFile(path: path, code: withoutComments(text))
            }
    }

    /// Removes the lines that are comments.
    private static func withoutComments(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .filter { !$0.drop(while: { $0 == " " }).hasPrefix("//") }
            .joined(separator: "\n")
    }
}
