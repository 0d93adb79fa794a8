/// The members of a JSON object, in order, each name once.
///
/// Names are compared by their bytes. Swift's own `==` takes canonically equivalent strings for equal, and by that
/// measure U+212A (the Kelvin sign) would be the member `K`.
public struct JSONObject: Sendable {
    /// A name and its value.
    public typealias Member = (name: String, value: JSONValue)

    /// The members in the order in which they were written.
    public private(set) var members: [Member]

    /// Makes an object without members.
    public init() {
        members = []
    }

    /// Makes an object; of members with the same name the first stays.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        self.init()
        for (name, value) in members where self[name] == nil { self[name] = value }
    }

    /// Takes members whose names the parser has found to differ.
    init(checkedMembers: [Member]) {
        members = checkedMembers
    }

    /// The number of members.
    public var count: Int { members.count }

    /// Whether there are no members.
    public var isEmpty: Bool { members.isEmpty }

    /// The value of the member with that name; assigning replaces it in its place or adds it at the end, `nil` removes it.
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
    /// Makes an object; of members with the same name the first stays.
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self.init(elements) }
}

extension JSONObject: Equatable {
    /// Compares the members in order.
    public static func == (left: JSONObject, right: JSONObject) -> Bool {
        left.members.elementsEqual(right.members) { $0.name.hasSameBytes(as: $1.name) && $0.value == $1.value }
    }
}

extension String {
    /// Whether both strings have the same UTF-8 bytes, which is stricter than `==`.
    package func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}

/// A name that is hashed and compared by its bytes.
struct MemberName: Hashable {
    let name: String

    static func == (left: MemberName, right: MemberName) -> Bool {
        left.name.hasSameBytes(as: right.name)
    }

    func hash(into hasher: inout Hasher) {
        for byte in name.utf8 { hasher.combine(byte) }
    }
}
