package import HTTPTypes

/// An error answer, in the terms of RFC 9457.
///
/// The client sees all of its texts. A surface translates errors of the domain into problems, and its `ErrorRenderer` renders them in
/// its dialect.
package struct Problem: Error, Sendable, Equatable {
    /// The kind of the error.
    package var kind: Kind

    /// The code of a dialect that divides the kind further.
    ///
    /// The native surface has none.
    package var code: String?

    /// A sentence about this occurrence.
    package var detail: String

    /// All faults of the input.
    package var faults: [Fault]

    /// The unknown path, for dialects that repeat it in the answer.
    package var unknownPath: String?

    /// The header fields of the error in every dialect.
    package var headers: HTTPFields

    /// Creates a problem.
    ///
    /// The detail defaults to the sentence of the kind.
    package init(
        _ kind: Kind,
        code: String? = nil,
        detail: String? = nil,
        faults: [Fault] = [],
        headers: HTTPFields = [:]
    ) {
        self.kind = kind
        self.code = code
        self.detail = detail ?? kind.sentence
        self.faults = faults
        self.headers = headers
    }
}

extension Problem: CustomStringConvertible {
    /// The code, which holds no secret.
    package var description: String { kind.rawValue }
}
