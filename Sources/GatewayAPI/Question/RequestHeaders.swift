package import NIOHTTP1

/// The header lines of a request.
package protocol RequestHeaders {
    /// Returns the values of all lines with a name, in their order, whatever the case of the name.
    func lines(_ name: String) -> [String]
}

extension HTTPHeaders: RequestHeaders {
    /// Returns the values of all lines with a name.
    package func lines(_ name: String) -> [String] { self[name] }
}
