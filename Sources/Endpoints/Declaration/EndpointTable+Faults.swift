import HTTPTypes

extension EndpointTable {
    /// What is wrong with the declarations, one sentence each.
    ///
    /// A test of the surface holds this to be empty.
    package var declarationFaults: [String] {
        var faults: [String] = []
        var operations: Set<String> = []
        var routes: Set<String> = []
        for endpoint in endpoints {
            if !operations.insert(endpoint.operationID).inserted {
                faults.append("\(endpoint.operationID): two operations have this name")
            }
            for method in endpoint.method.routed
            where !routes.insert("\(method.rawValue) \(endpoint.path.shape)").inserted {
                faults.append("\(endpoint.operationID): another operation has \(method.rawValue) \(endpoint.path.text)")
            }
            if endpoint.path.parameterNames.sorted() != endpoint.parameters.map(\.name).sorted() {
                faults.append("\(endpoint.operationID): path and declared parameters differ")
            }
            if endpoint.responses.isEmpty {
                faults.append("\(endpoint.operationID): no answer is declared")
            }
        }
        return faults
    }
}
