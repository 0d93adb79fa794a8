/// The types of the managers of Fluxbase's client, which call the server at `/api/v1`.
///
/// Client keys had the name API keys in older versions of Fluxbase's client. Both names work here.
public enum Fluxbase {
    /// The older name of a client key.
    public typealias APIKey = ClientKey
    /// The older name of the manager of client keys.
    public typealias APIKeysManager = ClientKeysManager
    /// The older name of the response to a creation.
    public typealias CreateAPIKeyResponse = CreateClientKeyResponse
    /// The older name of a list of client keys.
    public typealias ListAPIKeysResponse = ListClientKeysResponse
}
