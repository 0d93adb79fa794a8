import Service

/// The token that proves that a form is from a page of a session: the session's signature, and a mark of the person for whom it was made.
struct FormToken {
    private let session: String
    private let person: String
    private let purposes: Purposes
    private let signer: TextSigner

    /// The purposes of the two signatures.
    typealias Purposes = (session: StaticString, person: StaticString)

    /// Creates the token of the forms of a session.
    ///
    /// - Parameters:
    ///   - session: The session's id.
    ///   - person: The ids of the person and of the organization.
    ///   - purposes: The purposes of the two signatures.
    ///   - signer: The signer.
    init(session: String, person: String, for purposes: Purposes, _ signer: TextSigner) {
        self.session = session
        self.person = person
        self.purposes = purposes
        self.signer = signer
    }

    /// The token.
    var text: String {
        "\(signer.sign(session, for: purposes.session)).\(signer.sign(person, for: purposes.person))"
    }

    /// Returns true if a form has the token of this session.
    func isOwn(_ form: FormFields) -> Bool { verify(form, 0, session, purposes.session) && isOfVisitor(form) }

    /// Returns true if a form was made for the same person in the same organization, perhaps in another session.
    func isOfVisitor(_ form: FormFields) -> Bool { verify(form, 1, person, purposes.person) }

    private func verify(_ form: FormFields, _ index: Int, _ text: String, _ purpose: StaticString) -> Bool {
        let parts = form["csrf"].split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 2 && signer.verify(String(parts[index]), of: text, for: purpose)
    }
}
