/// A text that somebody found in a public place, and that can be a token.
package struct LeakedText: Sendable {
    /// The text.
    package let text: String
    /// The place in which the text was found, if the report names it.
    package let url: String?

    /// Creates a text.
    package init(text: String, url: String?) {
        self.text = text
        self.url = url
    }
}
