extension MortiseError {
    /// One fault of a request.
    ///
    /// @Snippet(path: "mortise/Snippets/MortiseClient/HandleErrors", slice: "faults")
    public struct Fault: Sendable, Hashable {
        /// The place of the fault: a JSON pointer into the body, or the name of a parameter or header.
        ///
        /// `nil` if the fault has no place.
        public let place: String?
        /// The fault, as a clause or sentence for people.
        public let detail: String
    }
}
