/// A JSON Pointer (RFC 6901): the place of a value inside a document.
public struct JSONPointer: Sendable, Equatable {
    /// One step: into a member of an object, or to an element of an array.
    public enum Token: Sendable, Equatable {
        /// The member of that name.
        case member(String)
        /// The element at that index, from 0.
        case element(Int)
    }

    /// The steps from the whole document to the value.
    public let tokens: [Token]

    /// Makes a pointer; without tokens it is the whole document.
    public init(_ tokens: [Token] = []) {
        self.tokens = tokens
    }

    /// The pointer to a member of the value that this one points to.
    public func member(_ name: String) -> JSONPointer { JSONPointer(tokens + [.member(name)]) }

    /// The pointer to an element of the value that this one points to.
    public func element(_ index: Int) -> JSONPointer { JSONPointer(tokens + [.element(index)]) }
}

extension JSONPointer: CustomStringConvertible {
    /// The pointer as text; `~` and `/` inside names are escaped as section 3 of the RFC says.
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
                    default: text.unicodeScalars.append(scalar)
                    }
                }
            }
        }
        return text
    }
}
