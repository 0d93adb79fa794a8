/// The version of this program.
package enum Version {
    /// The semantic version, as `mortise --version` prints it.
    package static let current = "0.1.0"
}
