package import JSON

/// One thing that is wrong with a request: where, and what would be right.
///
/// The detail never quotes what the client sent, since that may be a secret in the wrong place.
package struct Fault: Sendable, Equatable {
    /// The part of the request that is at fault.
    package enum Location: Sendable, Equatable {
        /// A place in the JSON body.
        case body(JSONPointer)
        /// A query parameter.
        case query(String)
        /// A header field.
        case header(String)
    }

    /// What sort of fault it is, for dialects that have a code for each.
    package enum Kind: Sendable {
        /// It must be there and is not.
        case missing
        /// It has another JSON type.
        case mistyped
        /// It has the right type and is not acceptable.
        case unacceptable
    }

    /// The detail of what is missing; a rule that gives it says that an empty value counts as none.
    package static let isRequired = "is required"

    /// The part of the request that is at fault.
    package let location: Location

    /// What sort of fault it is.
    package let kind: Kind

    /// A clause that has the location as its subject, such as "must be a string".
    package let detail: String

    /// Makes a fault.
    package init(_ location: Location, _ detail: String, kind: Kind = .unacceptable) {
        self.location = location
        self.detail = detail
        self.kind = kind
    }

    /// Whether both say the same to the client; the kind follows from the detail.
    package static func == (left: Fault, right: Fault) -> Bool {
        left.location == right.location && left.detail == right.detail
    }

    /// A fault of a member of the body, named by its path from the outside in.
    package static func body(_ path: String..., detail: String) -> Fault {
        Fault(.body(JSONPointer(path.map { .member($0) })), detail)
    }

    /// The location as the subject of a sentence.
    var subject: String {
        switch location {
        case .body(let pointer): pointer.tokens.isEmpty ? "The body" : "\"\(pointer)\""
        case .query(let name): name.isEmpty ? "The request:" : "The parameter \"\(name)\""
        case .header(let name): "The header \(name)"
        }
    }
}

extension Fault: JSONWritable {
    /// Writes the element of a problem's `errors`.
    package func write(to writer: inout JSONWriter) {
        writer.object {
            switch location {
            case .body(let pointer): $0.member("pointer", pointer.description)
            case .query(let name): $0.member("parameter", name)
            case .header(let name): $0.member("header", name)
            }
            $0.member("detail", detail)
        }
    }
}
