import Keys

extension FuzzTarget {
    static func checkNames(_ input: UnsafeBufferPointer<UInt8>) throws(BrokenProperty) {
        let text = input.text
        try checkScope(text)
        if let id = UUIDv7.parse(text) { try require(UUIDv7.text(of: id) == text, "an id has one spelling") }
        if let prefix = TokenPrefix(text) { try require(prefix.text == text, "a prefix keeps its characters") }
        if let ref = WorkspaceRef(text) { try require(ref.text == text, "a reference keeps its characters") }
        if let cell = Cell(text) { try require(cell.text == text, "a cell keeps its characters") }
        if let id = SecretID(text) { try require(id.text == text, "a secret's id keeps its characters") }
        try require(KeyKind(rawValue: text).map { $0.rawValue == text } ?? true, "a kind has one name")
        try require(KeyMode(rawValue: text).map { $0.rawValue == text } ?? true, "a mode has one name")
        try require(Permission(rawValue: text).map { $0.rawValue == text } ?? true, "a permission has one name")
    }

    private static func checkScope(_ text: String) throws(BrokenProperty) {
        let scope = Scope(freeForm: text)
        let valid = try? Scope(validating: text)
        try require((valid == nil) == scope.isOpaque, "a scope is opaque exactly if it is outside of the grammar")
        try require(scope.covers(scope) && Scope.all.covers(scope), "a scope covers itself, and * covers every scope")
        let parts = text.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 else { return }
        let (first, second) = (Scope(freeForm: parts[0]), Scope(freeForm: parts[1]))
        if first.covers(second), second.covers(first) { try require(first == second, "two scopes are equal") }
        try require(ScopeSet([first, second]).covers([first, second]), "a set covers its members")
        let rule = NamespaceRule([parts[0]])
        try require(rule.allows(parts[0]), "a rule allows its own name")
    }
}
