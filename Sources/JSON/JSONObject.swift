/// The members of a JSON object, in their order.
///
/// No two members have the same name.
///
/// Names are compared by their bytes. Swift's own `==` treats canonically equivalent strings as equal, so the member `K` would
/// also be found under U+212A, the Kelvin sign.
public struct JSONObject: Sendable {
    /// A name and its value.
    public typealias Member = (name: String, value: JSONValue)

    /// The members, in the order in which they were written.
    public private(set) var members: [Member]

    /// Creates an object without members.
    public init() {
        members = []
    }

    /// Creates an object.
    ///
    /// If several members have the same name, the first one is kept.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        self.init()
        for (name, value) in members where self[name] == nil { self[name] = value }
    }

    /// Creates an object from members whose names the parser has found to differ.
    init(checkedMembers: [Member]) {
        members = checkedMembers
    }

    /// The number of members.
    public var count: Int { members.count }

    /// True if there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The value of the member with a name.
    ///
    /// A new value replaces the old one at its position, or becomes the last member. `nil` removes the member.
    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.name.hasSameBytes(as: name) }?.value }
        set {
            let index = members.firstIndex { $0.name.hasSameBytes(as: name) }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append((name, value))
            case (nil, nil): break
            }
        }
    }
}

extension JSONObject: ExpressibleByDictionaryLiteral {
    /// Creates an object.
    ///
    /// If several members have the same name, the first one is kept.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}

extension JSONObject: Equatable {
    /// Compares the members in their order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name.hasSameBytes(as: $1.name) && $0.value == $1.value }
    }
}

extension String {
    /// Returns true if both strings have the same UTF-8 bytes, which is stricter than `==`.
    package func hasSameBytes(as other: String) -> Bool {
        let (left, right) = (utf8.span, other.utf8.span)
        guard left.count == right.count else { return false }
        for position in left.indices where left[position] != right[position] { return false }
        return true
    }
}

/// A name that is hashed and compared by its bytes.
struct MemberName: Hashable {
    let name: String

    static func == (left: MemberName, right: MemberName) -> Bool {
        left.name.hasSameBytes(as: right.name)
    }

    func hash(into hasher: inout Hasher) {
        name.utf8.span.withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}
