/// A JSON Pointer (RFC 6901), which names the position of a value in a document.
public struct JSONPointer: Sendable, Equatable {
    /// One step of a pointer: into a member of an object, or to an element of an array.
    public enum Token: Sendable, Equatable {
        /// The member with a name.
        case member(String)
        /// The element at an index, from 0.
        case element(Int)
    }

    /// The steps from the whole document to the value.
    public let tokens: [Token]

    /// Creates a pointer.
    ///
    /// Without tokens it points to the whole document.
    public init(_ tokens: [Token] = []) {
        self.tokens = tokens
    }

    /// Returns the pointer to a member of the value that this pointer names.
    public func member(_ name: String) -> JSONPointer { JSONPointer(tokens + [.member(name)]) }

    /// Returns the pointer to an element of the value that this pointer names.
    public func element(_ index: Int) -> JSONPointer { JSONPointer(tokens + [.element(index)]) }
}

extension JSONPointer: CustomStringConvertible {
    /// The text of the pointer.
    ///
    /// `~` and `/` in names are escaped as section 3 of the RFC demands.
    public var description: String {
        var text = ""
        for token in tokens {
            text.append("/")
            switch token {
            case .element(let index):
                text.append(index.description)
            case .member(let name):
                for scalar in name.unicodeScalars {
                    switch scalar {
                    case "~": text.append("~0")
                    case "/": text.append("~1")
                    // An append to `text.unicodeScalars` copies the whole text.
                    default: text.append(Character(scalar))
                    }
                }
            }
        }
        return text
    }
}
