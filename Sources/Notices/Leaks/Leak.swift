package import Keys

/// A report of a token that was found in a public place: what identifies the token's key, and never the token.
package struct Leak: Sendable {
    /// The workspace in the token.
    package let ref: WorkspaceRef
    /// The digests of the token under the peppers of its workspace, that of the current pepper first.
    package let digests: [Digest]
    /// The place in which the token was found, without tokens.
    package let url: String?
    /// The kind of the sender.
    package let source: LeakSource
    /// The sender's address.
    package let address: String?
    /// The id of the request, as in the log.
    package let requestID: String?

    /// Creates a leak.
    package init(
        ref: WorkspaceRef,
        digests: [Digest],
        url: String?,
        source: LeakSource,
        address: String?,
        requestID: String?
    ) {
        self.ref = ref
        self.digests = digests
        self.url = url
        self.source = source
        self.address = address
        self.requestID = requestID
    }
}

/// The sender of a report of leaked tokens, as the event names it.
package enum LeakSource: String, Sendable {
    /// GitHub's secret scanning.
    case github
    /// Anybody.
    case report
}
