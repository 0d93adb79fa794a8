/// The version of this program.
package enum Version {
    /// Semantic, as in `mortise --version`.
    package static let current = "0.1.0"
}
