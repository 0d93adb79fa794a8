import LibPQ

/// The statements that one connection has prepared.
struct PreparedStatements {
    /// A statement with certain parameter types, and its name on the server.
    private struct Variant {
        let types: [UInt32]
        let name: String
    }

    /// Indexed by `Statement.id`.
    ///
    /// A statement with other parameter types is prepared again, under another name.
    private var variants: [[Variant]] = []
    /// The number of names so far.
    private var made = 0
    /// The number of statements that are known here.
    ///
    /// The server can keep a few more, whose plans it gave up.
    private var held = 0

    /// The maximum number of statements that one connection prepares.
    ///
    /// The server keeps them in memory until the connection ends. Further statements are sent without preparation. A program whose
    /// statements are constants stays far below the limit.
    static let bound = 2048

    /// Returns true if one more statement can be prepared.
    func hasRoom(for statement: Statement) -> Bool { held < Self.bound && statement.id < 16 * Self.bound }

    /// Returns the name under which a statement is prepared for the types of these parameters.
    ///
    /// The result is `nil` if it is not prepared for them.
    func name(of statement: Statement, _ parameters: ParameterBuffer) -> String? {
        let id = statement.id
        guard id < variants.count else { return nil }
        for index in variants[id].indices where parameters.hasTypes(variants[id][index].types) {
            return variants[id][index].name
        }
        return nil
    }

    /// Adds a statement that is being prepared, and returns its new name.
    mutating func add(_ statement: Statement, _ parameters: ParameterBuffer) -> String {
        while variants.count <= statement.id { variants.append([]) }
        made += 1
        held += 1
        let name = "m\(made)"
        variants[statement.id].append(Variant(types: parameters.types, name: name))
        return name
    }

    /// Removes a statement, which then is prepared again at its next use.
    mutating func remove(_ statement: Statement) {
        guard variants.indices.contains(statement.id) else { return }
        held -= variants[statement.id].count
        variants[statement.id] = []
    }
}
