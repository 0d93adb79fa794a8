package import JSON

/// One fault of a request: its location, and the rule that the input breaks.
///
/// The detail never quotes the input, which can be a secret in the wrong place.
package struct Fault: Sendable, Equatable {
    /// A part of a request.
    package enum Location: Sendable, Equatable {
        /// A value in the JSON body.
        case body(JSONPointer)
        /// A query parameter.
        case query(String)
        /// A header field.
        case header(String)
    }

    /// A kind of fault, for dialects that have a code for each kind.
    package enum Kind: Sendable {
        /// A required value is missing.
        case missing
        /// The value has another JSON type.
        case mistyped
        /// The value has the right type and breaks another rule.
        case unacceptable
    }

    /// The detail of a missing value.
    ///
    /// A rule that returns this detail treats an empty value as missing.
    package static let isRequired = "is required"

    /// The part of the request that has the fault.
    package let location: Location

    /// The kind of fault.
    package let kind: Kind

    /// A clause with the location as its subject, such as "must be a string".
    package let detail: String

    /// Creates a fault.
    package init(_ location: Location, _ detail: String, kind: Kind = .unacceptable) {
        self.location = location
        self.detail = detail
        self.kind = kind
    }

    /// Returns true if both faults tell the client the same.
    ///
    /// The kind follows from the detail.
    package static func == (left: Fault, right: Fault) -> Bool {
        left.location == right.location && left.detail == right.detail
    }

    /// Returns a fault of a member of the body.
    ///
    /// The path names the members from the outermost to the innermost.
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
