import ArgumentParser

/// A file that an option names.
///
/// `-` is standard input.
struct InputFile: Sendable, Equatable, ExpressibleByArgument {
    /// The path as the option has it.
    let path: String

    init(argument: String) { path = argument }

    /// Standard input.
    static let standardInput = InputFile(argument: "-")

    /// True if the file is standard input.
    var isStandardInput: Bool { path == "-" }

    /// The subject of a message about the file.
    var name: String { isStandardInput ? "Standard input" : "The file \(path)" }

    /// Reads the whole file.
    ///
    /// - Parameters:
    ///   - limit: The maximum size in bytes.
    ///   - option: The option that names the file, for the error message.
    /// - Returns: The content.
    /// - Throws: `CommandFailure` of kind `usage` if the file cannot be read or is too large.
    func read(limit: Int, option: String) async throws -> [UInt8] {
        do {
            return try await FileAccess.read(path, limit: limit)
        } catch let fault as FileAccess.Fault {
            throw CommandFailure.usage("\(name) (\(option)) cannot be read: \(fault.reason).")
        }
    }
}
