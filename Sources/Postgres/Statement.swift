import Synchronization

/// One SQL statement with `$1`-style parameters, known by identity: keep it in a `static let`.
///
/// A connection prepares it at its first use. Identity instead of text, because comparing a number costs nothing and hashing a
/// kilobyte of SQL for every lookup would cost more than sending it.
public struct Statement: Sendable {
    /// The SQL, one statement.
    public let sql: String
    /// Whether connections prepare it.
    ///
    /// False for what runs once, such as DDL.
    public let isPrepared: Bool
    let id: Int
    /// Whether it reads or changes rows, and so can neither open nor end a transaction.
    let isPlain: Bool
    let hasZeroByte: Bool

    private static let count = Atomic<Int>(0)

    /// Describes a statement.
    public init(_ sql: String, prepared: Bool = true) {
        self.sql = sql
        isPrepared = prepared
        isPlain = Self.plainKeywords.contains(Self.firstKeyword(sql))
        hasZeroByte = sql.utf8.contains(0)
        id = prepared ? Self.count.add(1, ordering: .relaxed).oldValue : -1
    }
}

extension Statement {
    private static let plainKeywords: Set<String> = [
        "SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "WITH", "VALUES", "TABLE",
    ]

    private static func firstKeyword(_ sql: String) -> String {
        sql.drop(while: \.isWhitespace).prefix(while: \.isLetter).uppercased()
    }
}

/// Which statements one connection has prepared, by name and parameter types.
struct PreparedStatements {
    /// Indexed by `Statement.id`: the same statement with other parameter types is prepared again under another name.
    private var variants: [[(types: [UInt32], name: String)]] = []
    private var made = 0

    /// The most statements that one connection prepares; the server keeps them all in memory until the connection ends.
    ///
    /// Statements past it are sent unnamed. A program whose statements are constants stays far below.
    static let bound = 2048

    /// Whether one more may be prepared.
    func hasRoom(for statement: Statement) -> Bool { made < Self.bound && statement.id < 16 * Self.bound }

    /// The name under which a statement is prepared for these types, if it is.
    func name(of statement: Statement, types: [UInt32]) -> String? {
        guard variants.indices.contains(statement.id) else { return nil }
        return variants[statement.id].first { $0.types == types }?.name
    }

    /// Notes that the statement is being prepared, and names it.
    mutating func add(_ statement: Statement, types: [UInt32]) -> String {
        while variants.count <= statement.id { variants.append([]) }
        made += 1
        let name = "m\(made)"
        variants[statement.id].append((types, name))
        return name
    }

    /// Forgets a statement, which then is prepared again at its next use.
    mutating func remove(_ statement: Statement) {
        guard variants.indices.contains(statement.id) else { return }
        variants[statement.id] = []
    }
}
