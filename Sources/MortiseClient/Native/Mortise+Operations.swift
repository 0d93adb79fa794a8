extension Mortise {
    /// Reads `/healthz`, which answers without a credential.
    ///
    /// - Returns: The answer with its status, headers and body. An error status is not thrown.
    /// - Throws: `MortiseError` if no answer arrives.
    package func health() async throws(MortiseError) -> Answer {
        try await transport.exchange(.get(["healthz"]))
    }

    /// Reads `/readyz`, which answers without a credential.
    ///
    /// - Returns: The answer with its status, headers and body. An error status is not thrown.
    /// - Throws: `MortiseError` if no answer arrives.
    package func readiness() async throws(MortiseError) -> Answer {
        try await transport.exchange(.get(["readyz"]))
    }

    /// Reads the OpenAPI document, which answers without a credential.
    ///
    /// - Returns: The answer with its status, headers and body. An error status is not thrown.
    /// - Throws: `MortiseError` if no answer arrives.
    package func openAPIDocument() async throws(MortiseError) -> Answer {
        try await transport.exchange(.get(["openapi.json"]))
    }
}
