import Glibc

/// A node as it describes itself to the others, beside its lease.
public struct NodeDescription: Sendable, Hashable {
    /// The name of the machine.
    public let host: String
    /// The number of the process.
    public let process: Int
    /// The version of the program.
    public let version: String
    /// The ids of the peppers that the node knows.
    public let peppers: [String]

    /// Creates the description of this process.
    ///
    /// - Parameters:
    ///   - version: The version of the program. Empty by default.
    ///   - peppers: The ids of the peppers that the process knows. Defaults to none, for a program that makes no tokens.
    public init(version: String = "", peppers: [String] = []) {
        var name = [CChar](repeating: 0, count: 256)
        let isKnown = gethostname(&name, name.count - 1) == 0
        host = isKnown ? String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) : ""
        process = Int(getpid())
        self.version = version
        self.peppers = peppers
    }
}
