import HTTPTypes

extension EndpointTable {
    /// The faults of the declarations, one sentence for each.
    ///
    /// A test of each surface checks that there are none.
    package var declarationFaults: [String] {
        var faults: [String] = []
        var operations: Set<String> = []
        var routes: Set<String> = []
        for endpoint in endpoints {
            if !operations.insert(endpoint.operationID).inserted {
                faults.append("\(endpoint.operationID): two operations have this id")
            }
            for method in endpoint.method.routed
            where !routes.insert("\(method.rawValue) \(endpoint.path.shape)").inserted {
                faults.append("\(endpoint.operationID): another operation has \(method.rawValue) \(endpoint.path.text)")
            }
            if endpoint.path.parameterNames.sorted() != endpoint.parameters.map(\.name).sorted() {
                faults.append("\(endpoint.operationID): the parameters of the path and the declared parameters differ")
            }
            if endpoint.responses.isEmpty {
                faults.append("\(endpoint.operationID): the operation declares no answer")
            }
        }
        return faults
    }
}
