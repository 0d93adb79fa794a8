import KeyStore
import Tenancy

extension Authority {
    /// Creates the authority of a principal over the keys of a collection.
    ///
    /// - Parameters:
    ///   - principal: The principal, with its permissions at this moment.
    ///   - keys: The collection.
    ///   - owner: The owner of the keys, if it is not the collection's.
    init(_ principal: Principal, over keys: KeyCollection, owner: KeyOwner? = nil) {
        self.init(
            principal,
            over: owner ?? keys.keyOwner,
            workspace: keys.workspaceID,
            memberScopes: keys.workspace?.memberScopes
        )
    }
}
