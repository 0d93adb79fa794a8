/// What sources declare for everybody, and the examples in its documentation, each by the type that it belongs to.
///
/// It reads the text as `swift format` leaves it: a declaration stands four columns to the right of what encloses it.
struct PublicSurface {
    /// A type, wherever its extensions stand.
    struct Documentation {
        /// What can be read, set or matched: properties, and the cases of enumerations.
        var members: [Member] = []
        /// The examples above the type and above what it declares, but for its nested types.
        var examples: [String] = []

        /// Whether an example reads, sets or matches a member, or gives it to an initialiser of the type.
        func shows(_ member: Member, of type: Substring) -> Bool {
            examples.contains { example in
                let words = Words(of: example)
                return words.afterDot.contains(member.name)
                    || words.beforeParenthesis.contains(type) && words.beforeColon.contains(member.name)
            }
        }
    }

    /// A property or a case.
    struct Member {
        let name: Substring
        let isDocumented: Bool
    }

    /// The types by their names, such as `Mortise.Key.Status`.
    private(set) var types: [String: Documentation] = [:]

    /// All examples of a source.
    static func examples(in source: String) -> [String] {
        source.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { $0.hasPrefix("///") }.examples
    }

    private struct Scope {
        let column: Int
        let name: String
        let isPublicEnum: Bool
        /// Whether printing is what shows `description`.
        let isPrintable: Bool
    }

    /// Reads sources.
    init(_ sources: [String]) {
        for source in sources { read(source) }
    }

    private mutating func read(_ source: String) {
        var scopes: [Scope] = []
        var comment: [Substring] = []
        for line in source.split(separator: "\n") {
            let text = line.drop { $0 == " " }
            if text.hasPrefix("///") {
                comment.append(text)
            } else if !text.hasPrefix("@") {
                let column = line.count - text.count
                if text.hasPrefix("}") { scopes.removeAll { $0.column >= column } }
                declare(text, column: column, under: comment, in: &scopes)
                comment = []
            }
        }
    }

    private mutating func declare(
        _ text: Substring,
        column: Int,
        under comment: [Substring],
        in scopes: inout [Scope]
    ) {
        let words = text.split { " :<{(,".contains($0) }
        let isPublic = words.first == "public"
        let examples = comment.examples
        if let index = words.firstIndex(where: { ["struct", "enum", "extension"].contains($0) }), index < 3,
            let name = words.dropFirst(index + 1).first
        {
            scopes.removeAll { $0.column >= column }
            let scope = Scope(
                column: column,
                name: ((scopes.last.map { [$0.name] } ?? []) + [String(name)]).joined(separator: "."),
                isPublicEnum: isPublic && words[index] == "enum",
                isPrintable: text.contains("CustomStringConvertible")
            )
            types[scope.name, default: Documentation()].examples += examples
            scopes.append(scope)
        } else if let scope = scopes.last(where: { $0.column == column - 4 }) {
            types[scope.name, default: Documentation()].examples += examples
            let keyword = words.firstIndex { isPublic ? ["let", "var"].contains($0) : $0 == "case" }
            guard isPublic || scope.isPublicEnum && keyword == 0, let keyword,
                let name = words.dropFirst(keyword + 1).first?.filter({ $0 != "`" })
            else { return }
            let isRequirement = scope.isPrintable && name == "description"
            guard !isRequirement, !["debugDescription", "customMirror"].contains(name) else { return }
            let member = Member(name: Substring(name), isDocumented: !comment.isEmpty)
            types[scope.name, default: Documentation()].members.append(member)
        }
    }
}

extension Collection<Substring> {
    /// The examples in the lines of a documentation comment, each as its lines without indentation.
    var examples: [String] {
        var examples: [String] = []
        var current: [Substring]?
        for line in self {
            let text = line.dropFirst(3).drop { $0 == " " }
            if text == "```swift" {
                current = []
            } else if text == "```" {
                if let current { examples.append(current.joined(separator: "\n")) }
                current = nil
            } else if !text.isEmpty {
                current?.append(text)
            }
        }
        return examples
    }
}

/// The words of code by what stands beside them; comments do not count.
private struct Words {
    var afterDot: Set<Substring> = []
    var beforeColon: Set<Substring> = []
    var beforeParenthesis: Set<Substring> = []

    init(of code: String) {
        for line in code.split(separator: "\n") where !line.hasPrefix("//") {
            var rest = line.firstRange(of: "  //").map { line[..<$0.lowerBound] } ?? line
            var before: Character?
            while let first = rest.first {
                let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
                guard !word.isEmpty else {
                    before = first
                    rest.removeFirst()
                    continue
                }
                rest = rest.dropFirst(word.count)
                if before == "." { afterDot.insert(word) }
                if rest.first == ":" { beforeColon.insert(word) }
                if rest.first == "(" { beforeParenthesis.insert(word) }
                before = nil
            }
        }
    }
}
