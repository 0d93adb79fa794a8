package import HTTPTypes

/// A request that is answered with an error, in the terms of RFC 9457.
///
/// Every text in it goes to the client. Surfaces translate the domain's errors into problems and give them to their
/// `ErrorRenderer`, which spells them in their dialect.
package struct Problem: Error, Sendable, Equatable {
    /// What kind of error it is.
    package var kind: Kind

    /// What a dialect calls it, where it has a finer word than the kind; the native surface has none.
    package var code: String?

    /// A sentence about this occurrence.
    package var detail: String

    /// What is wrong with the input, all of it.
    package var faults: [Fault]

    /// The path that leads nowhere, for dialects that repeat it.
    package var unknownPath: String?

    /// Header fields that belong to the error in every dialect.
    package var headers: HTTPFields

    /// Makes a problem; the detail is the kind's own sentence if none is given.
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
    /// The code, which is safe to print anywhere.
    package var description: String { kind.rawValue }
}
